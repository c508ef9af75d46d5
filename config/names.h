// The words that stand for enum values in YAML, once for reading and printing alike.
// Constants only; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "config/config.h"

namespace lanekeeper {

template <class Enum>
struct Named {
  std::string_view name;
  Enum value;
};

inline constexpr std::array<Named<RpcThreadKind>, 2> kRpcThreadKinds = {
    {{"user", RpcThreadKind::kUser}, {"kernel", RpcThreadKind::kKernel}}};
inline constexpr std::array<Named<LoadBalancing>, 2> kLoadBalancings = {
    {{"pick_first", LoadBalancing::kPickFirst}, {"round_robin", LoadBalancing::kRoundRobin}}};
inline constexpr std::array<Named<LogLevel>, 5> kLogLevels = {{{"trace", LogLevel::kTrace},
                                                               {"debug", LogLevel::kDebug},
                                                               {"info", LogLevel::kInfo},
                                                               {"warn", LogLevel::kWarn},
                                                               {"error", LogLevel::kError}}};
inline constexpr std::array<Named<LogFormat>, 2> kLogFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
inline constexpr std::array<Named<LogAccess>, 3> kLogAccesses = {
    {{"off", LogAccess::kOff}, {"errors", LogAccess::kErrors}, {"all", LogAccess::kAll}}};
inline constexpr std::array<Named<StuckAction>, 2> kStuckActions = {
    {{"report", StuckAction::kReport}, {"cancel", StuckAction::kCancel}}};
inline constexpr std::array<Named<bool>, 2> kBooleans = {{{"true", true}, {"false", false}}};

inline constexpr std::string_view kSame =
    "same";  // limits.response_metadata_size, stuck.silent_after
inline constexpr std::string_view kPreserve = "preserve";    // upstream.authority
inline constexpr std::string_view kAuto = "auto";            // rpc_threads.workers
inline constexpr std::string_view kUnlimited = "unlimited";  // limits.message_size
inline constexpr std::string_view kOff = "off";              // metrics.address, admin.address

template <class Enum, size_t kCount>
constexpr std::string_view NameOf(const std::array<Named<Enum>, kCount>& names, Enum value) {
  for (const Named<Enum>& named : names) {
    if (named.value == value) return named.name;
  }
  return "";  // not reached: the arrays above hold every value
}

}  // namespace lanekeeper
