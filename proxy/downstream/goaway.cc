#include "proxy/downstream/goaway.h"

#include <atomic>
#include <memory>
#include <semaphore>
#include <utility>

#include "proxy/rpc/core_symbols.h"

namespace lanekeeper {
namespace {

// Core's inner functions may only be called where core has set its execution context up. A callback
// of a completion queue is such a place, and the only one that its public API offers. Frees itself
// there.
struct InsideCore : grpc_completion_queue_functor {
  InsideCore(grpc_server* to, std::shared_ptr<std::binary_semaphore> when_sent)
      : sent(std::move(when_sent)) {
    functor_run = &InsideCore::Run;
    inlineable = 0;
    internal_success = 0;
    internal_next = nullptr;
    server.store(to, std::memory_order_release);
  }

  static void Run(grpc_completion_queue_functor* self, int) {
    const std::unique_ptr<InsideCore> inside(static_cast<InsideCore*>(self));
    grpc_server* const server = inside->server.load(std::memory_order_acquire);
    reinterpret_cast<grpc_core::Server*>(server)->SendGoaways();
    inside->sent->release();
  }

  // Atomic for the thread sanitizer, which does not see how core hands us over to its thread.
  std::atomic<grpc_server*> server;
  // Shared: who waits may be gone before the one who tells has returned.
  const std::shared_ptr<std::binary_semaphore> sent;
};

}  // namespace

void SendGoaways(grpc_server* server) {
  const auto sent = std::make_shared<std::binary_semaphore>(0);
  grpc_completion_queue* queue =
      grpc_completion_queue_create_for_callback(new InsideCore(server, sent), nullptr);
  grpc_completion_queue_shutdown(queue);
  sent->acquire();
  grpc_completion_queue_destroy(queue);
}

}  // namespace lanekeeper
