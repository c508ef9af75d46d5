#include "proxy/log/access_log.h"

#include "config/names.h"
#include "proxy/grpc/status.h"
#include "proxy/log/log_event.h"
#include "proxy/log/stream_fields.h"
#include "proxy/log/trace_context.h"

namespace lanekeeper {
namespace {

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

}  // namespace

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

}  // namespace lanekeeper
