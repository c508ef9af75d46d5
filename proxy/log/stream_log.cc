#include "proxy/log/stream_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "proxy/log/log_event.h"
#include "proxy/log/rate_limit.h"
#include "proxy/log/stream_fields.h"

namespace lanekeeper {
namespace {

constexpr int kBurst = 20;

// Of kSlowReceiver: where the application is the receiver.
constexpr auto kMessages = std::to_array<Named<StallKind>>(
    {{"stream is stuck: the application does not read", StallKind::kSlowReceiver},
     {"stream is stuck: the upstream has not answered", StallKind::kSilentSender},
     {"stream is stuck: the upstream allows no further stream", StallKind::kStreamSlots},
     {"stream is stuck: no connection to the upstream", StallKind::kNotConnected},
     {"stream is stuck: the requests ended and the upstream has sent nothing since",
      StallKind::kHalfClosed},
     {"stream is stuck: the upstream's connection window is spent", StallKind::kUpstreamWindow}});

std::string_view MessageFor(const Stall& stall) {
  if (stall.kind == StallKind::kSlowReceiver && stall.direction == Direction::kToUpstream)
    return "stream is stuck: the upstream does not read";
  return NameOf(kMessages, stall.kind);
}

// "12,15".
std::string HoldersText(const StreamSnapshot& stream) {
  const std::span<const StreamId> holders(stream.window_holders);
  return fmt::format("{}",
                     fmt::join(holders.first(std::min(holders.size(), kWindowHoldersTold)), ","));
}

void AddStall(const StreamSnapshot& stream, const Stall& stall, LogFields& fields) {
  AddIdentity(stream, fields);
  fields.Add("kind", ToLabel(stall.kind))
      .Add("direction", ToLabel(stall.direction))
      .Add("lasted_s", Seconds(stall.lasted))
      .Add("age_s", Seconds(stream.age))
      .Add("to_upstream_state", ToLabel(stream.to_upstream.state))
      .Add("to_upstream_waiting_for", ToLabel(stream.to_upstream.waiting_for))
      .Add("to_upstream_messages", stream.to_upstream.messages)
      .Add("to_upstream_bytes", stream.to_upstream.bytes)
      .Add("to_downstream_state", ToLabel(stream.to_downstream.state))
      .Add("to_downstream_waiting_for", ToLabel(stream.to_downstream.waiting_for))
      .Add("to_downstream_messages", stream.to_downstream.messages)
      .Add("to_downstream_bytes", stream.to_downstream.bytes);
  if (!stream.window_holders.empty()) fields.Add("window_held_by", HoldersText(stream));
  if (stream.deadline_left) fields.Add("deadline_left_s", Seconds(*stream.deadline_left));
}

}  // namespace

RateLimit& StuckLineLimit() {
  static RateLimit limit(kBurst);
  return limit;
}

RateLimit& MovesAgainLineLimit() {
  static RateLimit limit(kBurst);
  return limit;
}

bool LogStuck(const StreamSnapshot& stream, RateLimit& limit) {
  if (!stream.stall) return false;
  bool written = false;
  LogEvent(limit, LogLevel::kWarn, MessageFor(*stream.stall), [&](LogFields& fields) {
    AddStall(stream, *stream.stall, fields);
    written = true;
  });
  return written;
}

void LogMovesAgain(const StreamSnapshot& stream, const Stall& was, RateLimit& limit) {
  LogEvent(limit, LogLevel::kInfo, "stream moves again",
           [&](LogFields& fields) { AddStall(stream, was, fields); });
}

}  // namespace lanekeeper
