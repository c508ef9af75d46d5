// The words of the configuration, once for reading and printing alike. Constants only; any thread.
#pragma once

#include <string_view>

#include "config/config.h"
#include "proxy/base/words.h"

namespace lanekeeper {

inline constexpr Names<RpcThreadKind, 2> kRpcThreadKinds = {
    {{"user", RpcThreadKind::kUser}, {"kernel", RpcThreadKind::kKernel}}};
inline constexpr Names<LoadBalancing, 2> kLoadBalancings = {
    {{"pick_first", LoadBalancing::kPickFirst}, {"round_robin", LoadBalancing::kRoundRobin}}};
inline constexpr Names<LogLevel, 5> kLogLevels = {{{"trace", LogLevel::kTrace},
                                                   {"debug", LogLevel::kDebug},
                                                   {"info", LogLevel::kInfo},
                                                   {"warn", LogLevel::kWarn},
                                                   {"error", LogLevel::kError}}};
inline constexpr Names<LogFormat, 2> kLogFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
inline constexpr Names<LogAccess, 3> kLogAccesses = {
    {{"off", LogAccess::kOff}, {"errors", LogAccess::kErrors}, {"all", LogAccess::kAll}}};
inline constexpr Names<StuckAction, 2> kStuckActions = {
    {{"report", StuckAction::kReport}, {"cancel", StuckAction::kCancel}}};
inline constexpr Names<bool, 2> kBooleans = {{{"true", true}, {"false", false}}};

inline constexpr std::string_view kSame =
    "same";  // limits.response_metadata_size, stuck.silent_after
inline constexpr std::string_view kPreserve = "preserve";  // upstream.authority
inline constexpr std::string_view kAuto =
    "auto";  // rpc_threads.workers, listen[].mode, upstream.tls.server_name
inline constexpr std::string_view kUnlimited = "unlimited";  // limits.message_size and others
inline constexpr std::string_view kOff = "off";              // addresses of our pages, files of TLS
inline constexpr std::string_view kAny = "any";              // listen[].tls.client_names
inline constexpr std::string_view kSystem = "system";        // upstream.tls.ca

}  // namespace lanekeeper
