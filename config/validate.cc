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

void MetricsAreApartFromListen(const Config& config, const std::vector<Listening>& listening,
                               Findings& findings) {
  if (!config.metrics.address || !findings.IsSound("metrics.address")) return;
  std::string why;
  const std::string& text = *config.metrics.address;
  const auto address = ParseListenAddress(text, &why).value_or(ListenAddress{});
  for (const Listening& listen : listening) {
    if (!ListenOverlap(address, listen.address)) continue;
    if (const std::optional<Position> at = findings.GivenAt("metrics.address")) {
      findings.AddProblem(
          *at, fmt::format("metrics.address: {} is already listened on for RPCs, as {} on line {}",
                           Quote(text), Quote(listen.text), listen.at.line));
    } else {
      findings.AddProblem(
          listen.at, fmt::format("{}: {} is taken by metrics.address, which is {} unless given",
                                 listen.path, Quote(listen.text), Quote(text)));
    }
    return;
  }
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

}  // namespace

void Validate(const Config& config, Findings& findings) {
  const std::vector<Listening> listening = SoundListenAddresses(config, findings);
  ListenAddressesAreApart(listening, findings);
  MetricsAreApartFromListen(config, listening, findings);
  UpstreamIsNotOurselves(config, listening, findings);
  WorkersAreForUserThreads(config, findings);
  KeepaliveCanWork(config.upstream.keepalive, findings);
}

}  // namespace lanekeeper
