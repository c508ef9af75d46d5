#include "proxy/threads/core_context.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include "proxy/rpc/core_symbols.h"
#include "proxy/rpc/replaced_function.h"
#include "proxy/threads/thread_name.h"

namespace lanekeeper {

// Only core makes contexts, on the stack of a thread and for the time of a call. So a thread of its
// own makes such a call and stays in it. Not one that works: a context remembers what time it is,
// for the thread that has made it.
CoreContext::CoreContext()
    : holder_([this] {
        SetThreadName("lk-context");
        Visit([this] {
          context_ = grpc_core::ExecCtx::exec_ctx_;
          made_.release();
          ended_.acquire();
        });
      }) {
  made_.acquire();
}

CoreContext::~CoreContext() {
  ended_.release();
  holder_.join();
}

void CoreContext::Enter() {
  grpc_core::ExecCtx::exec_ctx_ = context_;
  of_this_thread_ = this;
}

void CoreContext::Leave() {
  if (of_this_thread_ != this) return;
  grpc_core::ExecCtx::exec_ctx_ = nullptr;
  of_this_thread_ = nullptr;
}

void CoreContext::Flush() {
  if (of_this_thread_ == this) context_->Flush();
}

grpc_call_error CoreContext::StartBatch(grpc_call* call, std::span<const grpc_op> ops, void* tag) {
  grpc_core::FilterStackCall* const inside =
      of_this_thread_ != nullptr ? grpc_core::AsFilterStackCall(call) : nullptr;
  if (inside != nullptr) return inside->StartBatch(ops.data(), ops.size(), tag, false);
  return grpc_call_start_batch(call, ops.data(), ops.size(), tag, nullptr);
}

// Core's public API has no way to get there but to be called back from within: by the destructor of
// a slice, from grpc_byte_buffer_destroy.
void CoreContext::CallInside(void (*function)(void* argument), void* argument) {
  struct Call {
    void (*function)(void* argument);
    void* argument;
  } call{function, argument};
  static char nothing = 0;
  const auto run = [](void* there) {
    const Call now = *static_cast<Call*>(there);
    now.function(now.argument);
  };
  grpc_slice slice = grpc_slice_new_with_user_data(&nothing, sizeof nothing, run, &call);
  grpc_byte_buffer* const buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  grpc_byte_buffer_destroy(buffer);
}

}  // namespace lanekeeper

namespace grpc_core {

// Work that two contexts have added to is handed to a helper thread by core, so that a thread that
// polls gets back to that. Ours polls when the work is done, and each call of the API within ours
// counts as another context: no helper.
class Executor {
 public:
  static bool IsThreadedDefault() LANEKEEPER_REPLACES(LANEKEEPER_NAME_EXECUTOR_IS_THREADED);
};

bool Executor::IsThreadedDefault() { return false; }

}  // namespace grpc_core
