// Core does what it is asked through its API in an execution context: what an operation brings
// about is collected there and done when the context is left. Each call of the API has one of its
// own, so each operation works its way to the socket alone. In a context of ours, which lasts, the
// operations of many RPCs do so together: one pass over the transport, one write, one look at each
// lock.
//
// Owned by a loop, used by one thread at a time: in kind `kernel` by those that take turns, so that
// what their RPCs start goes out together too. Whoever uses it must Flush before waiting: other
// threads of core leave work to a context that has begun the same, and count on that.
#pragma once

#include <grpc/grpc.h>

#include <semaphore>
#include <span>
#include <thread>
#include <utility>

namespace grpc_core {
class ExecCtx;
}

namespace lanekeeper {

class CoreContext {
 public:
  CoreContext();
  CoreContext(const CoreContext&) = delete;
  CoreContext& operator=(const CoreContext&) = delete;
  ~CoreContext();  // used by nobody

  // From now on the calling thread's operations are started in it.
  void Enter();
  void Leave();
  // Does what they have brought about. Nothing, if the calling thread is not inside.
  void Flush();

  // grpc_call_start_batch; inside a context, what it brings about waits there.
  static grpc_call_error StartBatch(grpc_call* call, std::span<const grpc_op> ops, void* tag);

  // Calls the function in a context of its own, and does what that brings about.
  template <class Function>
  static void Visit(Function&& function) {
    CallInside([](void* argument) { (*static_cast<Function*>(argument))(); }, &function);
  }

 private:
  static void CallInside(void (*function)(void* argument), void* argument);

  static inline constinit thread_local const CoreContext* of_this_thread_ = nullptr;

  grpc_core::ExecCtx* context_ = nullptr;
  std::binary_semaphore made_{0};
  std::binary_semaphore ended_{0};
  std::thread holder_;
};

}  // namespace lanekeeper
