#include "proxy/downstream/acceptor.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace lanekeeper {
namespace {

// Enough that a burst which core reads from one socket at once finds a match.
constexpr int kPostedCalls = 64;

}  // namespace

Acceptor::Acceptor(grpc_server* server, grpc_completion_queue* queue, CallHandler& handler)
    : server_(server), queue_(queue), handler_(handler) {
  for (int i = 0; i < kPostedCalls; ++i) posted_.emplace_back(*this).Post();
}

void Acceptor::PostedCall::Post() {
  const grpc_call_error error =
      grpc_server_request_call(acceptor_.server_, &incoming_.call, &incoming_.details,
                               &incoming_.metadata, acceptor_.queue_, acceptor_.queue_, tag());
  if (error == GRPC_CALL_OK) return;
  spdlog::critical("core refused a posted call: {}", grpc_call_error_to_string(error));
}

void Acceptor::PostedCall::OnComplete(bool ok) {
  if (!ok) return;  // the server is shutting down
  IncomingCall arrived = std::move(incoming_);
  Post();
  acceptor_.handler_.OnCall(std::move(arrived));
}

}  // namespace lanekeeper
