#include "proxy/threads/user_worker.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/threads/refuse.h"
#include "proxy/threads/thread_name.h"

namespace lanekeeper {

void UserWorker::StartThreads() {
  thread_ = std::thread([this] {
    SetThreadName(fmt::format("lk-worker-{}", index_));
    loop_->Run();
  });
}

bool UserWorker::JoinThreads() {
  if (!thread_.joinable()) return false;
  thread_.join();
  return true;
}

void UserWorker::OnCall(IncomingCall incoming) {
  if (const auto reason = context_.registry.TryAdmit()) {
    Refuse(std::move(incoming), *reason, context_.environment, *metrics_);
    return;
  }
  rpcs_.Open(std::move(incoming), context_.environment, *loop_, *this).Start();
}

}  // namespace lanekeeper
