#include "config/tls_rules.h"

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/target.h"
#include "config/tls_files.h"

namespace lanekeeper {
namespace {

// The keys of one `tls` map, and whether what they hold is sound so far.
class TlsKeys {
 public:
  TlsKeys(std::string path, Findings& findings) : path_(std::move(path)), findings_(findings) {}

  // Adds a problem where the key stands, if it was given.
  void Refuse(std::string_view key, std::string_view why) {
    sound_ = false;
    const std::string path = PathOf(key);
    if (const auto at = findings_.GivenAt(path)) {
      findings_.AddProblem(*at, fmt::format("{}: {}", path, why));
    }
  }
  // Looks whether what the document says of the keys was read.
  bool AreSound(const std::vector<std::string_view>& keys) {
    for (const std::string_view key : keys) sound_ = sound_ && findings_.IsSound(PathOf(key));
    return sound_;
  }
  // One is of no use without the other.
  void GoTogether(std::string_view one, bool has_one, std::string_view other, bool has_other) {
    if (has_one && !has_other) Refuse(one, fmt::format("{}.{} is missing", path_, other));
    if (has_other && !has_one) Refuse(other, fmt::format("{}.{} is missing", path_, one));
  }

 private:
  std::string PathOf(std::string_view key) const { return fmt::format("{}.{}", path_, key); }

  const std::string path_;
  Findings& findings_;
  bool sound_ = true;
};

void ReportFiles(TlsKeys& keys, std::string_view authority,
                 const std::vector<TlsProblem>& problems) {
  for (const TlsProblem& problem : problems) {
    keys.Refuse(problem.file == TlsFile::kCertificate ? "certificate"
                : problem.file == TlsFile::kKey       ? "key"
                                                      : authority,
                problem.text);
  }
}

void ValidateListen(const ListenTlsConfig& tls, TlsKeys keys) {
  if (!keys.AreSound({"certificate", "key", "client_ca", "client_names"})) return;
  keys.GoTogether("certificate", tls.certificate.has_value(), "key", tls.key.has_value());
  if (tls.client_ca && !tls.certificate) {
    keys.Refuse("client_ca",
                "clients show certificates only to a server that has one: "
                "certificate and key are missing");
  }
  if (!tls.client_names.empty() && !tls.client_ca) {
    keys.Refuse("client_names",
                "without client_ca no client shows a certificate that could have "
                "a name");
  }
  const std::optional<TlsServerFiles> files = FilesOf(tls);
  if (!keys.AreSound({}) || !files) return;
  std::vector<TlsProblem> problems;
  TlsContext::ForServer(*files, problems);
  ReportFiles(keys, "client_ca", problems);
}

bool LeadsToAUnixSocket(const UpstreamConfig& upstream) {
  std::string why;
  const std::optional<UpstreamTarget> target = ParseUpstreamTarget(upstream.address, &why);
  return target && (target->abstract || target->endpoints.front().is_unix());
}

void ValidateUpstream(const UpstreamConfig& upstream, TlsKeys keys) {
  const UpstreamTlsConfig& tls = upstream.tls;
  if (!keys.AreSound({"ca", "certificate", "key", "server_name"})) return;
  keys.GoTogether("certificate", tls.certificate.has_value(), "key", tls.key.has_value());
  if (!tls.ca) {
    constexpr std::string_view kPlain =
        "upstream.tls.ca is off, which is plaintext: expected a file there, or system";
    if (tls.certificate) keys.Refuse("certificate", kPlain);
    if (tls.server_name) keys.Refuse("server_name", kPlain);
  } else if (!tls.server_name && LeadsToAUnixSocket(upstream)) {
    keys.Refuse("ca",
                "a unix socket has no name that a certificate could be checked for: "
                "upstream.tls.server_name is missing");
  }
  const std::optional<TlsClientFiles> files = FilesOf(tls);
  if (!keys.AreSound({}) || !files) return;
  std::vector<TlsProblem> problems;
  TlsContext::ForClient(*files, problems);
  ReportFiles(keys, "ca", problems);
}

}  // namespace

void ValidateTls(const Config& config, Findings& findings) {
  for (size_t i = 0; i < config.listen.size(); ++i) {
    ValidateListen(config.listen[i].tls, TlsKeys(fmt::format("listen[{}].tls", i), findings));
  }
  ValidateUpstream(config.upstream, TlsKeys("upstream.tls", findings));
}

}  // namespace lanekeeper
