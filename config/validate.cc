#include "config/validate.h"

#include <fmt/core.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/address.h"
#include "config/overlap.h"
#include "config/quote.h"
#include "config/target.h"
#include "config/tls_rules.h"
#include "config/units.h"

namespace lanekeeper {
namespace {

// A listen address that was given and is right, with what messages need.
struct Listening {
  std::string path;
  Position at;
  std::string text;
  ListenAddress address;
};

std::vector<Listening> SoundListenAddresses(const Config& config, const Findings& findings) {
  std::vector<Listening> sound;
  std::string why;
  for (size_t i = 0; i < config.listen.size(); ++i) {
    const std::string path = fmt::format("listen[{}].address", i);
    const std::optional<Position> at = findings.GivenAt(path);
    if (!at) continue;
    const std::string& text = config.listen[i].address;
    sound.push_back({path, *at, text, ParseListenAddress(text, &why).value_or(ListenAddress{})});
  }
  return sound;
}

void ListenAddressesAreApart(const std::vector<Listening>& listening, Findings& findings) {
  for (size_t later = 1; later < listening.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      const Listening& first = listening[earlier];
      const Listening& second = listening[later];
      if (!ListenOverlap(first.address, second.address)) continue;
      findings.AddProblem(
          second.at, fmt::format("{}: {} is already listened on, as {} on line {}", second.path,
                                 Quote(second.text), Quote(first.text), first.at.line));
      break;  // one clash is enough to have it changed
    }
  }
}

// A page of ours, by the key of its address.
struct Page {
  std::string path;
  const std::optional<std::string>& address;
};

// What is sound of it; nothing where it is off.
std::optional<ListenAddress> AddressOf(const Page& page, const Findings& findings) {
  if (!page.address || !findings.IsSound(page.path)) return std::nullopt;
  std::string why;
  return ParseListenAddress(*page.address, &why);
}

void PageIsApartFromListen(const Page& page, const std::vector<Listening>& listening,
                           Findings& findings) {
  const std::optional<ListenAddress> address = AddressOf(page, findings);
  if (!address) return;
  for (const Listening& listen : listening) {
    if (!ListenOverlap(*address, listen.address)) continue;
    if (const std::optional<Position> at = findings.GivenAt(page.path)) {
      findings.AddProblem(
          *at, fmt::format("{}: {} is already listened on for RPCs, as {} on line {}", page.path,
                           Quote(*page.address), Quote(listen.text), listen.at.line));
    } else {
      findings.AddProblem(
          listen.at, fmt::format("{}: {} is taken by {}, which is {} unless given", listen.path,
                                 Quote(listen.text), page.path, Quote(*page.address)));
    }
    return;
  }
}

void PagesAreApart(const Page& first, const Page& second, Findings& findings) {
  const std::optional<ListenAddress> a = AddressOf(first, findings);
  const std::optional<ListenAddress> b = AddressOf(second, findings);
  if (!a || !b || !ListenOverlap(*a, *b)) return;
  const std::optional<Position> at = findings.GivenAt(second.path);
  const Page& given = at ? second : first;
  const Page& other = at ? first : second;
  findings.AddProblem(at ? *at : findings.GivenAt(first.path).value_or(Position{}),
                      fmt::format("{}: {} is taken by {}, which is {}", given.path,
                                  Quote(*given.address), other.path, Quote(*other.address)));
}

void AdminIsLocal(const AdminConfig& admin, const Page& page, Findings& findings) {
  const std::optional<ListenAddress> address = AddressOf(page, findings);
  const std::optional<Position> at = findings.GivenAt(page.path);
  if (!address || !at || admin.allow_remote || !findings.IsSound("admin.allow_remote")) return;
  if (OnlyLocal(*address)) return;
  findings.AddProblem(
      *at, fmt::format("{}: other machines may reach {}, and could cancel streams and end the "
                       "process there: use a loopback address or a unix socket, or say "
                       "admin.allow_remote: true",
                       page.path, Quote(*admin.address)));
}

void UpstreamIsNotOurselves(const Config& config, const std::vector<Listening>& listening,
                            Findings& findings) {
  const std::optional<Position> at = findings.GivenAt("upstream.address");
  if (!at) return;
  std::string why;
  const auto target = ParseUpstreamTarget(config.upstream.address, &why).value_or(UpstreamTarget{});
  for (const ListenAddress& endpoint : target.endpoints) {
    for (const Listening& listen : listening) {
      if (!DialReaches(endpoint, listen.address)) continue;
      findings.AddProblem(
          *at, fmt::format("upstream.address: {} leads back to {} on line {}, every RPC would loop",
                           Quote(config.upstream.address), Quote(listen.text), listen.at.line));
      return;
    }
  }
}

// Whether all that the later entry matches is the earlier one's.
bool Covers(const std::string& earlier, const std::string& later) {
  if (earlier == "*" || earlier == later) return true;
  if (!earlier.ends_with("/*")) return false;
  return later.starts_with(earlier.substr(0, earlier.size() - 1));
}

void EveryMethodLimitCounts(const LimitsConfig& limits, Findings& findings) {
  const auto path = [](size_t i) { return fmt::format("limits.methods[{}].match", i); };
  for (size_t later = 1; later < limits.methods.size(); ++later) {
    const std::optional<Position> at = findings.GivenAt(path(later));
    for (size_t earlier = 0; at && earlier < later; ++earlier) {
      const std::optional<Position> before = findings.GivenAt(path(earlier));
      if (!before || !Covers(limits.methods[earlier].match, limits.methods[later].match)) continue;
      findings.AddProblem(*at, fmt::format("{}: {} never counts: {} on line {} comes first",
                                           path(later), Quote(limits.methods[later].match),
                                           Quote(limits.methods[earlier].match), before->line));
      break;
    }
  }
}

// Kind kernel has no workers; a number would look as if it bounded something.
void WorkersAreForUserThreads(const Config& config, Findings& findings) {
  const std::optional<Position> at = findings.GivenAt("rpc_threads.workers");
  if (!at || !config.rpc_threads.workers || !findings.IsSound("rpc_threads.kind")) return;
  if (config.rpc_threads.kind != RpcThreadKind::kKernel) return;
  findings.AddProblem(*at, fmt::format("rpc_threads.workers: {} is for kind user, kind kernel "
                                       "starts one thread per RPC: leave the key out",
                                       *config.rpc_threads.workers));
}

void KeepaliveCanWork(const KeepaliveConfig& keepalive, Findings& findings) {
  const std::optional<Position> time_at = findings.GivenAt("upstream.keepalive.time");
  if (!time_at || keepalive.time.count() == 0) return;
  // gRPC raises anything shorter to this silently (gRPC proposal A8).
  constexpr std::chrono::seconds kShortest(10);
  if (keepalive.time < kShortest) {
    findings.AddProblem(*time_at,
                        fmt::format("upstream.keepalive.time: expected 0 (off) or at least {}, "
                                    "found {}",
                                    FormatDuration(kShortest), FormatDuration(keepalive.time)));
  }
  const std::optional<Position> timeout_at = findings.GivenAt("upstream.keepalive.timeout");
  if (timeout_at && keepalive.timeout.count() == 0) {
    findings.AddProblem(*timeout_at, fmt::format("upstream.keepalive.timeout: 0 leaves no time to "
                                                 "answer the pings that keepalive.time {} sends",
                                                 FormatDuration(keepalive.time)));
  }
}

// Anything shorter would keep the name server, or the upstream's accept, busy for nothing.
void IsOffOrASecond(const char* path, std::chrono::milliseconds value, Findings& findings) {
  constexpr std::chrono::seconds kShortest(1);
  const std::optional<Position> at = findings.GivenAt(path);
  if (!at || value.count() == 0 || value >= kShortest) return;
  findings.AddProblem(*at, fmt::format("{}: expected 0 (off) or at least {}, found {}", path,
                                       FormatDuration(kShortest), FormatDuration(value)));
}

void ModeIsOfAUnixSocket(const Config& config, const std::vector<Listening>& listening,
                         Findings& findings) {
  for (size_t i = 0; i < config.listen.size(); ++i) {
    const std::optional<Position> at = findings.GivenAt(fmt::format("listen[{}].mode", i));
    if (!at || !config.listen[i].mode) continue;
    for (const Listening& listen : listening) {
      if (listen.path != fmt::format("listen[{}].address", i) || listen.address.is_unix()) continue;
      findings.AddProblem(*at, fmt::format("listen[{}].mode: only the file of a unix socket has a "
                                           "mode, and {} is none",
                                           i, Quote(listen.text)));
    }
  }
}

}  // namespace

void Validate(const Config& config, Findings& findings) {
  const std::vector<Listening> listening = SoundListenAddresses(config, findings);
  ListenAddressesAreApart(listening, findings);
  ModeIsOfAUnixSocket(config, listening, findings);
  const Page metrics{"metrics.address", config.metrics.address};
  const Page admin{"admin.address", config.admin.address};
  PageIsApartFromListen(metrics, listening, findings);
  PageIsApartFromListen(admin, listening, findings);
  PagesAreApart(metrics, admin, findings);
  AdminIsLocal(config.admin, admin, findings);
  UpstreamIsNotOurselves(config, listening, findings);
  WorkersAreForUserThreads(config, findings);
  EveryMethodLimitCounts(config.limits, findings);
  KeepaliveCanWork(config.upstream.keepalive, findings);
  IsOffOrASecond("upstream.resolve_interval", config.upstream.resolve_interval, findings);
  IsOffOrASecond("upstream.max_age", config.upstream.max_age, findings);
  ValidateTls(config, findings);
}

}  // namespace lanekeeper
