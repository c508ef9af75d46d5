#include "proxy/downstream/downstream_connection.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/downstream/not_grpc.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

DownstreamConnection::DownstreamConnection(DownstreamContext& context, Transport transport,
                                           DownstreamConnectionOwner& owner)
    : context_(context),
      owner_(owner),
      peer_(std::make_shared<const std::string>(PeerName(transport.fd()))),
      connection_(context.environment.loop, std::move(transport),
                  {http2::Side::kDownstream, context.header_list_bytes_max, context.counts},
                  *this) {}

DownstreamConnection::~DownstreamConnection() = default;

void DownstreamConnection::OnRequest(int32_t id, const http2::FieldList& fields, bool too_large,
                                     bool end) {
  RequestHead head =
      JudgeRequest(fields, too_large, context_.rules, &context_.environment.loop.pool());
  if (head.kind == RequestKind::kMalformed) {
    return connection_.RejectMalformed(id);
  }
  if (head.kind == RequestKind::kNotGrpc) {
    return NotGrpc::Answer(connection_, id, end, head.request.content_length, context_);
  }
  head.request.peer = peer_;
  if (const auto shortage = FindShortage()) return Refuse(id, head.request, *shortage);
  Rejection rejection;
  std::optional<AdmittedPlace> place =
      context_.admission.TryEnter(head.request.method(), open_rpcs_, rejection);
  if (!place) return Refuse(id, head.request, rejection);
  Rpc& rpc = context_.rpcs.Open(std::move(*place), std::move(head.request), context_.environment);
  connection_.Adopt(id, rpc.downstream(), end);
  rpc.Start();
}

std::optional<Rejection> DownstreamConnection::FindShortage() const {
  const BufferBudget& budget = context_.environment.loop.buffers().budget();
  if (budget.stage() < BufferStage::kRefuse) return std::nullopt;
  return Rejection{RejectReason::kBufferedBytes,
                   fmt::format("lanekeeper: limits.buffered_bytes reached ({} of {} are held)",
                               budget.held(), budget.limit())};
}

// Before a thread or an upstream stream is spent on it.
void DownstreamConnection::Refuse(int32_t id, const Request& request, const Rejection& rejection) {
  const RejectReason reason = rejection.reason;
  const Ending ending{
      reason == RejectReason::kDraining ? TerminationCause::kDrain : TerminationCause::kLimit,
      CodeFor(reason), rejection.message};
  RecordRefused(context_.environment.metrics, request.method(), reason, ending.code);
  connection_.Answer(id, FieldsOf(ending, true));
  const AccessLog& log = context_.environment.rules.access_log;
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
