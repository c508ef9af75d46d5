#include "config/tls_files.h"

#include "config/names.h"

namespace lanekeeper {

std::optional<TlsServerFiles> FilesOf(const ListenTlsConfig& tls) {
  if (!tls.certificate || !tls.key) return std::nullopt;
  return TlsServerFiles{*tls.certificate, *tls.key, tls.client_ca, tls.client_names};
}

std::optional<TlsClientFiles> FilesOf(const UpstreamTlsConfig& tls) {
  if (!tls.ca) return std::nullopt;
  TlsClientFiles files{std::nullopt, tls.certificate, tls.key};
  if (*tls.ca != kSystem) files.ca = tls.ca;
  return files;
}

}  // namespace lanekeeper
