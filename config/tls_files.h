// The TLS files that a configuration names, as those who read them take them. Values only; any
// thread.
#pragma once

#include <optional>

#include "config/config.h"
#include "proxy/tls/context.h"

namespace lanekeeper {

// Empty: plaintext.
std::optional<TlsServerFiles> FilesOf(const ListenTlsConfig& tls);
std::optional<TlsClientFiles> FilesOf(const UpstreamTlsConfig& tls);

}  // namespace lanekeeper
