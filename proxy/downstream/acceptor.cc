#include "proxy/downstream/acceptor.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace lanekeeper {
namespace {

// Enough that a burst which core reads from one socket at once finds a match.
constexpr int kPostedCalls = 64;

}  // namespace

Acceptor::Acceptor(grpc_server* server, grpc_completion_queue* notifications, CallHandler& handler)
    : server_(server), notifications_(notifications), handler_(handler) {
  for (int i = 0; i < kPostedCalls; ++i) posted_.emplace_back(*this).Post();
}

void Acceptor::PostedCall::Post() {
  queue_ = acceptor_.handler_.TakeQueue();
  const grpc_call_error error =
      grpc_server_request_call(acceptor_.server_, &incoming_.call, &incoming_.details,
                               &incoming_.metadata, queue_, acceptor_.notifications_, tag());
  if (error == GRPC_CALL_OK) return;
  spdlog::critical("core refused a posted call: {}", grpc_call_error_to_string(error));
  acceptor_.handler_.ReturnQueue(queue_);
}

void Acceptor::PostedCall::OnComplete(bool ok) {
  grpc_completion_queue* const queue = queue_;
  if (!ok) {  // the server is shutting down
    acceptor_.handler_.ReturnQueue(queue);
    return;
  }
  IncomingCall arrived = std::move(incoming_);
  Post();
  acceptor_.handler_.OnCall(std::move(arrived), queue);
}

}  // namespace lanekeeper
