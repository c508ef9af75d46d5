// The downstream side as a whole: listening sockets and the connections that came of them. Owns
// both. Made (which binds the sockets) before its loop runs and destroyed after; Start, and what
// follows, from the thread that owns the App: the work is done on the loop. Counts from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/log/rate_limit.h"
#include "proxy/net/acceptor.h"

namespace lanekeeper {

class Listener final : public DownstreamConnectionOwner {
 public:
  // Binds every address; throws std::runtime_error, with the reasons of all that fail, a line each.
  Listener(const std::vector<ListenConfig>& listen, DownstreamContext context);
  ~Listener();

  void Start();

  // What clients dial, ports filled in.
  std::vector<std::string> addresses() const { return addresses_; }
  std::vector<int> ports() const { return ports_; }
  int64_t connections() const { return connections_count_.load(std::memory_order_relaxed); }
  int64_t accept_failures() const { return acceptor_->accept_failures(); }
  const http2::FrameCounts& frames() const { return frames_; }

  // No new connections; the open ones are told that no new RPC is welcome (GOAWAY). RPCs that are
  // already on their way are still served.
  void StopAccepting();
  // Closes what connections are left; returns when they have closed, or have had the time to. No
  // RPC may be open any more.
  void Shutdown(std::chrono::milliseconds patience);

 private:
  void OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) override;
  void Log(const DownstreamConnection& connection, const http2::ConnectionEnd& end);

  DownstreamContext context_;
  EventLoop& loop_;
  std::vector<std::string> addresses_;
  std::vector<int> ports_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unordered_map<const DownstreamConnection*, std::unique_ptr<DownstreamConnection>>
      connections_;
  RateLimit line_limit_{20};
  bool stopped_ = false;
  std::atomic<int64_t> connections_count_{0};
  http2::FrameCounts frames_;
  std::mutex closed_mutex_;
  std::condition_variable closed_;
};

}  // namespace lanekeeper
