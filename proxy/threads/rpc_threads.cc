#include "proxy/threads/rpc_threads.h"

#include "proxy/threads/cpu_quota.h"
#include "proxy/threads/kernel_threads.h"
#include "proxy/threads/user_threads.h"

namespace lanekeeper {

int WorkerCount(const RpcThreadsConfig& config) {
  return config.workers ? *config.workers : UsableCpus("/");
}

std::unique_ptr<RpcThreads> MakeRpcThreads(const RpcThreadsConfig& config,
                                           const RpcThreadsContext& context) {
  if (config.kind == RpcThreadKind::kKernel) return std::make_unique<KernelThreads>(context);
  return std::make_unique<UserThreads>(
      WorkerCount(config),
      config.workers ? UserThreads::Workers::kFixed : UserThreads::Workers::kOnDemand, context);
}

}  // namespace lanekeeper
