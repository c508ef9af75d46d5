// What can be seen of one open stream (any RPC: to a proxy all of them are streams), copied out of
// it at one moment. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/observe/metric_shard.h"

namespace lanekeeper {

// Unique for the life of a proxy; later streams have larger ids. 0 is none.
using StreamId = uint64_t;

enum class LaneState {
  kReceiving,   // waits for the sender's next message
  kSending,     // has a message that the receiver does not take yet
  kWaiting,     // the upstream has not taken the RPC yet: no stream slot, or no connection; or it
                // waits in limits.queue
  kHalfClosed,  // the sender has ended it, and all of it has been passed on
};
template <>
inline constexpr auto kLabels<LaneState> =
    std::to_array<Named<LaneState>>({{"receiving", LaneState::kReceiving},
                                     {"sending", LaneState::kSending},
                                     {"waiting", LaneState::kWaiting},
                                     {"half_closed", LaneState::kHalfClosed}});

enum class WaitingFor {
  kNobody,
  kSender,
  kReceiver,
  kStreamSlot,
  kConnection,
  kConnectionWindow,  // the upstream takes nothing more on the whole connection
  kAdmission,         // another RPC must end first: limits.open_rpcs
};
template <>
inline constexpr auto kLabels<WaitingFor> =
    std::to_array<Named<WaitingFor>>({{"nobody", WaitingFor::kNobody},
                                      {"sender", WaitingFor::kSender},
                                      {"receiver", WaitingFor::kReceiver},
                                      {"stream_slot", WaitingFor::kStreamSlot},
                                      {"connection", WaitingFor::kConnection},
                                      {"connection_window", WaitingFor::kConnectionWindow},
                                      {"admission", WaitingFor::kAdmission}});

// One direction of a stream.
struct LaneSnapshot {
  LaneState state = LaneState::kReceiving;
  WaitingFor waiting_for = WaitingFor::kSender;
  std::chrono::nanoseconds state_for{0};
  int64_t messages = 0;  // passed on so far
  int64_t bytes = 0;
  // In total so far, the wait that goes on included: for the sender's messages, and for the
  // receiver to take them (flow control).
  std::chrono::nanoseconds sender_wait{0};
  std::chrono::nanoseconds receiver_wait{0};
};

// How a stream can be stuck: somebody waits, and it is certain for whom.
enum class StallKind {
  kSlowReceiver,    // a message is not taken
  kSilentSender,    // the requests are complete, and the upstream has never answered
  kStreamSlots,     // the upstream allows no further stream
  kNotConnected,    // there is no connection to the upstream
  kHalfClosed,      // the requests are complete, and an upstream that had answered before has sent
                    // nothing since
  kUpstreamWindow,  // the upstream's connection window is spent, by streams that it does not read
};
template <>
inline constexpr auto kLabels<StallKind> =
    std::to_array<Named<StallKind>>({{"slow_receiver", StallKind::kSlowReceiver},
                                     {"silent_sender", StallKind::kSilentSender},
                                     {"stream_slots", StallKind::kStreamSlots},
                                     {"not_connected", StallKind::kNotConnected},
                                     {"half_closed", StallKind::kHalfClosed},
                                     {"upstream_window", StallKind::kUpstreamWindow}});
inline constexpr size_t kStallKinds = kLabels<StallKind>.size();
// Of those that hold such a window, as many are told as help.
inline constexpr size_t kWindowHoldersTold = 8;

struct Stall {
  StallKind kind = StallKind::kSlowReceiver;
  Direction direction = Direction::kToUpstream;  // the one in which nothing moves
  std::chrono::nanoseconds lasted{0};
};

struct StreamSnapshot {
  StreamId id = 0;
  std::string method;           // "/package.Service/Method", as it came
  std::string downstream_peer;  // "ipv4:127.0.0.1:34567" or "unix:"
  std::chrono::system_clock::time_point started;
  std::chrono::nanoseconds age{0};
  std::optional<std::chrono::nanoseconds> deadline_left;
  RpcThreadKind thread_kind = RpcThreadKind::kUser;
  int attempts = 1;       // how often it was started upstream
  bool answered = false;  // whether the upstream has answered yet, if only with headers
  LaneSnapshot to_upstream;
  LaneSnapshot to_downstream;
  std::optional<Stall> stall;  // when it is stuck
  // Of kUpstreamWindow: the streams that hold the connection's window.
  std::vector<StreamId> window_holders;
};

}  // namespace lanekeeper
