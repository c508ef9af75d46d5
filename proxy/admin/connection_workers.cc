#include "proxy/admin/connection_workers.h"

#include <spdlog/spdlog.h>

#include <system_error>
#include <utility>

#include "proxy/threads/thread_name.h"

namespace lanekeeper {

ConnectionWorkers::ConnectionWorkers(Limits limits, Serve serve)
    : limits_(limits), serve_(std::move(serve)) {}

ConnectionWorkers::~ConnectionWorkers() { Stop(); }

std::optional<Connection> ConnectionWorkers::Offer(Connection connection) {
  std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= limits_.waiting) return connection;
  if (waiting_.size() >= idle_ && threads_.size() < limits_.threads) {
    try {
      threads_.emplace_back([this] { Run(); });
    } catch (const std::system_error& error) {
      spdlog::warn("admin: cannot start a thread: {}", error.what());
      if (threads_.empty()) return connection;
    }
  }
  waiting_.push_back(std::move(connection));
  work_.notify_one();
  return std::nullopt;
}

void ConnectionWorkers::Stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    for (int fd : served_) shutdown(fd, SHUT_RDWR);
    threads.swap(threads_);
  }
  work_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void ConnectionWorkers::Run() {
  SetThreadName("lk-admin-http");
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    const Connection connection = std::move(waiting_.front());
    waiting_.pop_front();
    served_.insert(connection.fd());
    lock.unlock();
    serve_(connection);
    lock.lock();
    served_.erase(connection.fd());
  }
}

}  // namespace lanekeeper
