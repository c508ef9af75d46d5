// Runs the fibers of one worker's loop. Kind `user`: a fiber is resumed inline. Kind `kernel`: each
// fiber has an OS thread of its own, and the threads pass a baton: only the one that has it runs,
// and the last that had something to do goes on with the loop, so nothing is locked. Owned by the
// worker; Drive is called by the worker's thread and returns when the loop has been stopped. The
// counts may be read by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "config/config.h"
#include "proxy/net/event_loop.h"

namespace lanekeeper {

class Executor {
 public:
  static std::unique_ptr<Executor> Make(RpcThreadKind kind, EventLoop& loop);
  virtual ~Executor() = default;

  virtual void Drive() = 0;
  // Whether the fiber that runs now has got what it runs on; false if no thread could be had. What
  // it has is called by this name, as `top -H` and debuggers show it.
  virtual bool Enter(Fiber& fiber, std::string_view name) = 0;
  // The fiber runs no more.
  virtual void Release(Fiber& fiber) = 0;

  // OS threads that have no RPC and would take one.
  virtual int64_t idle_threads() const { return 0; }
};

}  // namespace lanekeeper
