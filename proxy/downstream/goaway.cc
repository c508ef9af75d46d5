#include "proxy/downstream/goaway.h"

#include <future>

#include "proxy/rpc/core_symbols.h"

namespace lanekeeper {
namespace {

// Core's inner functions may only be called where core has set its execution context up. A callback
// of a completion queue is such a place, and the only one that its public API offers.
struct InsideCore : grpc_completion_queue_functor {
  explicit InsideCore(grpc_server* to) : server(to) {
    functor_run = [](grpc_completion_queue_functor* self, int) {
      auto* inside = static_cast<InsideCore*>(self);
      reinterpret_cast<grpc_core::Server*>(inside->server)->SendGoaways();
      inside->done.set_value();
    };
    inlineable = 0;
    internal_success = 0;
    internal_next = nullptr;
  }

  grpc_server* const server;
  std::promise<void> done;
};

}  // namespace

void SendGoaways(grpc_server* server) {
  InsideCore inside(server);
  grpc_completion_queue* queue = grpc_completion_queue_create_for_callback(&inside, nullptr);
  grpc_completion_queue_shutdown(queue);
  inside.done.get_future().wait();
  grpc_completion_queue_destroy(queue);
}

}  // namespace lanekeeper
