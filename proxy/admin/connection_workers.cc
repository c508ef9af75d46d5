#include "proxy/admin/connection_workers.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <utility>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

// Address space, not memory. Not what the process's limit happens to be: cpp-httplib matches some
// headers with std::regex, which recurses for each byte of up to 8 KiB, and 1 MiB is too little.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackBytes = 64 * 1024 * 1024;
#else
constexpr size_t kStackBytes = 8 * 1024 * 1024;
#endif

}  // namespace

ConnectionWorkers::ConnectionWorkers(const char* thread_name, Limits limits, Serve serve)
    : thread_name_(thread_name), limits_(limits), serve_(std::move(serve)) {}

ConnectionWorkers::~ConnectionWorkers() { Stop(); }

void ConnectionWorkers::StartThreads() {
  std::lock_guard lock(mutex_);
  while (threads_.size() < limits_.threads && StartThread()) {
  }
}

std::optional<Connection> ConnectionWorkers::Offer(Connection connection) {
  std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= limits_.waiting) return connection;
  if (waiting_.size() >= idle_ && threads_.size() < limits_.threads && !StartThread() &&
      threads_.empty()) {
    return connection;
  }
  waiting_.push_back(std::move(connection));
  work_.notify_one();
  return std::nullopt;
}

void ConnectionWorkers::Stop() {
  std::vector<pthread_t> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    threads.swap(threads_);
  }
  work_.notify_all();
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

// With the mutex held.
bool ConnectionWorkers::StartThread() {
  const auto main = [](void* self) -> void* {
    static_cast<ConnectionWorkers*>(self)->Run();
    return nullptr;
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, main, this);
  pthread_attr_destroy(&attributes);
  if (error == 0)
    threads_.push_back(thread);
  else
    spdlog::warn("{}: cannot start a thread: {}", thread_name_, std::strerror(error));
  return error == 0;
}

void ConnectionWorkers::Run() {
  SetThreadName(thread_name_);
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    std::optional<Connection> connection(std::move(waiting_.front()));
    waiting_.pop_front();
    lock.unlock();
    serve_(*connection);
    connection.reset();
    lock.lock();
  }
}

}  // namespace lanekeeper
