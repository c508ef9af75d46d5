#include "proxy/downstream/downstream_connection.h"

#include <utility>

#include "proxy/downstream/not_grpc.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

DownstreamConnection::DownstreamConnection(DownstreamContext& context, Fd socket,
                                           DownstreamConnectionOwner& owner)
    : context_(context),
      owner_(owner),
      peer_(std::make_shared<const std::string>(PeerName(socket.get()))),
      connection_(context.environment.loop, std::move(socket),
                  {http2::Side::kDownstream, context.header_list_bytes_max, context.counts},
                  *this) {}

DownstreamConnection::~DownstreamConnection() = default;

void DownstreamConnection::OnRequest(int32_t id, const http2::FieldList& fields, bool too_large,
                                     bool end) {
  RequestHead head = JudgeRequest(fields, too_large, context_.rules);
  if (head.kind == RequestKind::kMalformed) {
    return connection_.RejectMalformed(id);
  }
  if (head.kind == RequestKind::kNotGrpc) {
    return NotGrpc::Answer(connection_, id, end, head.request.content_length, context_);
  }
  RejectReason reason{};
  std::optional<AdmittedPlace> place = context_.admission.TryEnter(reason);
  head.request.peer = peer_;
  if (!place) return Refuse(id, head.request, reason);
  Rpc& rpc = context_.rpcs.Open(std::move(*place), std::move(head.request), context_.environment);
  connection_.Adopt(id, rpc.downstream(), end);
  rpc.Start();
}

// Before a thread or an upstream stream is spent on it.
void DownstreamConnection::Refuse(int32_t id, const Request& request, RejectReason reason) {
  const Ending ending{
      reason == RejectReason::kDraining ? TerminationCause::kDrain : TerminationCause::kLimit,
      CodeFor(reason), MessageFor(reason)};
  RecordRefused(context_.environment.metrics, request.method(), reason, ending.code);
  connection_.Answer(id, FieldsOf(ending, true));
  const AccessLog& log = context_.environment.access_log;
  if (!log.wants(static_cast<int>(ending.code))) return;
  EndedRpc ended;
  ended.stream.method = request.method();
  ended.stream.downstream_peer = *peer_;
  ended.stream.thread_kind = context_.environment.thread_kind;
  ended.stream.attempts = 0;
  ended.code = static_cast<int>(ending.code);
  ended.cause = ending.cause;
  ended.traceparent = request.fields.Find("traceparent");
  log.Write(ended);
}

}  // namespace lanekeeper
