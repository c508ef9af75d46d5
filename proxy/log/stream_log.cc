#include "proxy/log/stream_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "config/names.h"
#include "proxy/grpc/status.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

constexpr int kBurst = 20;

// Of a method or an address. Methods come from the wire, as long as metadata may be.
constexpr size_t kLogNameBytes = 256;

// version "-" trace-id "-" parent-id "-" flags
constexpr size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool IsId(std::string_view text) {
  return IsLowerHex(text) && text.find_first_not_of('0') != text.npos;
}

// With microseconds as decimals.
double Milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(time).count()) / 1e3;
}

// With milliseconds as decimals.
double Seconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(time).count()) / 1e3;
}

void AddIdentity(const StreamSnapshot& stream, LogFields& fields) {
  fields.Add("id", stream.id)
      .Add("method", std::string_view(stream.method).substr(0, kLogNameBytes))
      .Add("peer", std::string_view(stream.downstream_peer).substr(0, kLogNameBytes));
}

constexpr int kOk = static_cast<int>(StatusCode::kOk);

LogLevel LevelOf(const EndedRpc& rpc) {
  const bool expected = rpc.code == kOk || rpc.cause == TerminationCause::kClientCancel;
  return expected ? LogLevel::kInfo : LogLevel::kWarn;
}

void AddTrace(std::string_view traceparent, LogFields& fields) {
  const auto trace = ParseTraceparent(traceparent);
  if (!trace) return;
  fields.Add("trace_id", trace->trace_id).Add("span_id", trace->span_id);
}

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

// Who waits for whom.
void AddLanes(const StreamSnapshot& stream, LogFields& fields) {
  fields.Add("age_s", Seconds(stream.age))
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

void AddStall(const StreamSnapshot& stream, const Stall& stall, LogFields& fields) {
  AddIdentity(stream, fields);
  fields.Add("kind", ToLabel(stall.kind))
      .Add("direction", ToLabel(stall.direction))
      .Add("lasted_s", Seconds(stall.lasted));
  AddLanes(stream, fields);
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kLength) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const TraceContext context{header.substr(3, 32), header.substr(36, 16)};
  const std::string_view flags = header.substr(53, 2);
  const bool dashes = header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!dashes || !IsLowerHex(version) || version == "ff" || !IsLowerHex(flags) ||
      !IsId(context.trace_id) || !IsId(context.span_id)) {
    return std::nullopt;
  }
  // Later versions may say more, behind another dash.
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  return context;
}

bool AccessLog::wants(int code) const {
  if (code == kOk) return access_ == LogAccess::kAll && LogEnabled(LogLevel::kInfo);
  return access_ != LogAccess::kOff && LogEnabled(LogLevel::kWarn);
}

void AccessLog::Write(const EndedRpc& rpc) const {
  const StreamSnapshot& stream = rpc.stream;
  LogEvent(LevelOf(rpc), "RPC ended", [&](LogFields& fields) {
    AddIdentity(stream, fields);
    fields.Add("code", StatusName(static_cast<size_t>(rpc.code)))
        .Add("cause", ToLabel(rpc.cause))
        .Add("duration_ms", Milliseconds(stream.age))
        .Add("start_wait_ms", Milliseconds(rpc.start_wait))
        .Add("attempts", stream.attempts)
        .Add("thread_kind", NameOf(kRpcThreadKinds, stream.thread_kind))
        .Add("to_upstream_messages", stream.to_upstream.messages)
        .Add("to_upstream_bytes", stream.to_upstream.bytes)
        .Add("to_upstream_sender_wait_ms", Milliseconds(stream.to_upstream.sender_wait))
        .Add("to_upstream_receiver_wait_ms", Milliseconds(stream.to_upstream.receiver_wait))
        .Add("to_downstream_messages", stream.to_downstream.messages)
        .Add("to_downstream_bytes", stream.to_downstream.bytes)
        .Add("to_downstream_sender_wait_ms", Milliseconds(stream.to_downstream.sender_wait))
        .Add("to_downstream_receiver_wait_ms", Milliseconds(stream.to_downstream.receiver_wait));
    AddTrace(rpc.traceparent, fields);
  });
}

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

void LogDelaysEnd(const StreamSnapshot& stream) {
  LogEvent(LogLevel::kWarn, "stream delays the end", [&](LogFields& fields) {
    AddIdentity(stream, fields);
    AddLanes(stream, fields);
  });
}

}  // namespace lanekeeper
