// A bounded number of threads that serve connections, one each at a time. Threads are started as
// they are needed and stay. Owns the connections that wait; ends when stopped or destroyed, which
// closes what waits and lets what is being served end.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "proxy/admin/entrance.h"

namespace lanekeeper {

class ConnectionWorkers {
 public:
  struct Limits {
    size_t threads;
    size_t waiting;
  };
  // On one of the threads; the connection is closed afterwards.
  using Serve = std::function<void(const Connection& connection)>;

  ConnectionWorkers(const char* thread_name, Limits limits, Serve serve);
  ~ConnectionWorkers();

  // Starts all threads now: once they are needed the process may be at its limit.
  void StartThreads();
  // Any thread. Gives the connection back when as many wait as may.
  std::optional<Connection> Offer(Connection connection);
  // Returns when nothing is served any more.
  void Stop();

 private:
  bool StartThread();
  void Run();

  const char* const thread_name_;
  const Limits limits_;
  const Serve serve_;
  std::mutex mutex_;
  std::condition_variable work_;
  bool stopping_ = false;
  std::deque<Connection> waiting_;
  size_t idle_ = 0;
  std::vector<pthread_t> threads_;
};

}  // namespace lanekeeper
