#include "proxy/threads/kernel_threads.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <utility>

#include "proxy/threads/refuse.h"
#include "proxy/threads/thread_name.h"

namespace lanekeeper {
namespace {

constexpr auto kIdleThreadLifetime = std::chrono::seconds(10);

// Address space, not memory: only touched pages cost. Deep enough for what core does on a polling
// thread (name resolution, logging); sanitizers need several times that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackBytes = 2 * 1024 * 1024;
#else
constexpr size_t kStackBytes = 256 * 1024;
#endif

std::string NameOf(std::string_view method) {
  const size_t slash = method.rfind('/');
  return std::string(slash == std::string_view::npos ? method : method.substr(slash + 1));
}

void DestroyQueue(grpc_completion_queue* queue) {
  grpc_completion_queue_shutdown(queue);
  const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_REALTIME);
  while (grpc_completion_queue_next(queue, forever, nullptr).type != GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(queue);
}

}  // namespace

class KernelThreads::RpcThread final : public RpcOwner {
 public:
  RpcThread(KernelThreads& pool, RpcRegistry::Shard& rpcs)
      : pool_(pool), rpcs_(rpcs), metrics_(pool.context_.metrics) {}

  // Starts with a first job; false, with the job untouched, when the system has no thread for us.
  bool Start(Job& job) {
    job_.emplace(std::move(job));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    const int error = pthread_create(&thread_, &attributes, &RpcThread::Main, this);
    pthread_attr_destroy(&attributes);
    if (error == 0) return true;
    job = *std::move(job_);
    return false;
  }

  void Join() { pthread_join(thread_, nullptr); }

  void OnRpcEnded(Rpc& rpc) override {
    rpcs_.Close(rpc);
    rpc_ended_ = true;
  }

 private:
  friend class KernelThreads;

  static void* Main(void* self) {
    static_cast<RpcThread*>(self)->Run();
    return nullptr;
  }

  void Run() {
    std::optional<Job> job = std::exchange(job_, std::nullopt);
    while (job) {
      Serve(*std::move(job));
      SetThreadName("lk-rpc-idle");
      job = pool_.AwaitJob(*this);
    }
  }

  void Serve(Job job) {
    SetThreadName(NameOf(job.incoming.method()));
    grpc_completion_queue* const queue = job.queue;
    {
      RpcLoop loop(queue, *metrics_, RpcLoop::Writes::kAtOnce);
      rpc_ended_ = false;
      rpcs_.Open(std::move(job.incoming), pool_.context_.environment, loop, *this).Start();
      loop.Run(&rpc_ended_);
    }
    DestroyQueue(queue);
  }

  KernelThreads& pool_;
  RpcRegistry::Shard& rpcs_;
  ShardLease metrics_;
  pthread_t thread_{};
  bool rpc_ended_ = false;

  // Guarded by the pool's mutex once the thread runs.
  std::optional<Job> job_;
  std::condition_variable wake_;
};

KernelThreads::KernelThreads(const RpcThreadsContext& context)
    : context_(context), metrics_(context.metrics) {}

KernelThreads::~KernelThreads() { Stop(); }

void KernelThreads::AddQueues(grpc::ServerBuilder& builder) {
  notifications_ = builder.AddCompletionQueue();
  loop_.emplace(notifications_->cq(), *metrics_, RpcLoop::Writes::kAtOnce);
}

void KernelThreads::Start(grpc_server* server) {
  acceptor_.emplace(server, notifications_->cq(), static_cast<CallHandler&>(*this));
  accepting_ = std::thread([this] {
    SetThreadName("lk-acceptor");
    loop_->MeasureLag();
    loop_->Run();
  });
}

void KernelThreads::Stop() {
  if (!notifications_) return;
  notifications_->Shutdown();
  if (accepting_.joinable())
    accepting_.join();
  else
    loop_->Run();  // never started: core still wants the queue drained
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (RpcThread* thread : idle_) thread->wake_.notify_one();
  }
  // Nobody adds or removes threads any more: the accepting thread, which did, has ended.
  for (RpcThread& thread : threads_) thread.Join();
  {
    std::lock_guard lock(mutex_);  // a scrape may be counting them
    threads_.clear();
    ended_.clear();
  }
  loop_.reset();
  notifications_.reset();
}

RpcThreads::Counts KernelThreads::counts() const {
  std::lock_guard lock(mutex_);
  const auto idle = static_cast<int64_t>(idle_.size());
  return {static_cast<int64_t>(threads_.size() - ended_.size()) - idle, idle};
}

grpc_completion_queue* KernelThreads::TakeQueue() {
  return grpc_completion_queue_create_for_next(nullptr);
}

void KernelThreads::ReturnQueue(grpc_completion_queue* queue) { DestroyQueue(queue); }

void KernelThreads::OnCall(IncomingCall incoming, grpc_completion_queue* queue) {
  if (const auto reason = context_.registry.TryAdmit()) {
    Refuse(std::move(incoming), *reason, context_.environment, *metrics_);
    DestroyQueue(queue);
    return;
  }
  Job job{std::move(incoming), queue};
  if (Run(job)) return;
  context_.registry.Release();
  Refuse(std::move(job.incoming), RejectReason::kNoThread, context_.environment, *metrics_);
  DestroyQueue(queue);
}

bool KernelThreads::Run(Job& job) {
  std::lock_guard lock(mutex_);
  for (RpcThread* ended : std::exchange(ended_, {})) {
    ended->Join();
    threads_.remove_if([ended](const RpcThread& thread) { return &thread == ended; });
  }
  if (!idle_.empty()) {
    RpcThread* thread = idle_.back();
    idle_.pop_back();
    thread->job_.emplace(std::move(job));
    thread->wake_.notify_one();
    return true;
  }
  RpcThread& thread = threads_.emplace_back(*this, context_.registry.shard(next_shard_++));
  if (thread.Start(job)) return true;
  threads_.pop_back();
  return false;
}

std::optional<KernelThreads::Job> KernelThreads::AwaitJob(RpcThread& thread) {
  std::unique_lock lock(mutex_);
  idle_.push_back(&thread);
  const auto ready = [&] { return thread.job_.has_value() || stopping_; };
  thread.wake_.wait_for(lock, kIdleThreadLifetime, ready);
  if (thread.job_) return std::exchange(thread.job_, std::nullopt);
  idle_.erase(std::find(idle_.begin(), idle_.end(), &thread));
  if (!stopping_) ended_.push_back(&thread);
  return std::nullopt;
}

}  // namespace lanekeeper
