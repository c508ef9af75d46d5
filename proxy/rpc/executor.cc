#include "proxy/rpc/executor.h"

#include "proxy/rpc/kernel_executor.h"

namespace lanekeeper {
namespace {

class UserExecutor final : public Executor {
 public:
  explicit UserExecutor(EventLoop& loop) : loop_(loop) {}

  void Drive() override {
    while (!loop_.stopped()) {
      Fiber* fiber = loop_.NextReady();
      if (fiber == nullptr) {
        loop_.Step();
        continue;
      }
      fiber->Leave();
      fiber->Run();
    }
  }
  bool Enter(Fiber&, std::string_view) override { return true; }
  void Release(Fiber&) override {}

 private:
  EventLoop& loop_;
};

}  // namespace

std::unique_ptr<Executor> Executor::Make(RpcThreadKind kind, EventLoop& loop) {
  if (kind == RpcThreadKind::kKernel) return std::make_unique<KernelExecutor>(loop);
  return std::make_unique<UserExecutor>(loop);
}

}  // namespace lanekeeper
