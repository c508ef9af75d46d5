// The downstream side as a whole: listening sockets and the connections that came of them. Owns
// both. Made (which binds the sockets) before its loop runs and destroyed after; Start, and what
// follows, from the thread that owns the App, unless it says otherwise: the work is done on the
// loop. Counts and addresses from any thread.
#pragma once

#include <array>
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
  // An entry of the configuration's list.
  struct Listening {
    std::string address;             // as configured
    std::vector<std::string> names;  // of its sockets, as dialled
    std::vector<int> ports;          // 0 for none
  };

  // Binds every address; throws std::runtime_error, with the reasons of all that fail, a line each.
  Listener(const std::vector<ListenConfig>& listen, DownstreamContext context);
  ~Listener();

  void Start();

  // What clients dial, ports filled in.
  std::vector<std::string> addresses() const;
  std::vector<int> ports() const;
  int64_t connections() const { return connections_count_.load(std::memory_order_relaxed); }
  int64_t accept_failures() const { return acceptor_->accept_failures(); }
  // Connections that were ended because the peer sent too many frames of a kind.
  const http2::FrameCounts& frames() const { return frames_; }
  int64_t floods(http2::FloodKind kind) const {
    return floods_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }

  // Another list to listen on. What is new is bound here, by one thread at a time; `problems` has a
  // line for each that cannot be, and then nothing must be applied.
  struct Change {
    std::vector<Listening> listening;     // from then on
    std::vector<ListeningSocket> opened;  // of those, what is new
    std::vector<std::string> closed;      // names of the sockets of those that are in it no more
    std::vector<std::string> problems;
  };
  Change Prepare(const std::vector<ListenConfig>& listen) const;
  // On the loop's thread. Connections that came by a socket that is closed get a GOAWAY; the RPCs
  // on them go on.
  void Apply(Change change);

  // For new RPCs, and for the header blocks of new connections. On the loop's thread.
  void SetRules(RequestRules rules, size_t header_list_bytes_max);

  // No new connections; the open ones are told that no new RPC is welcome (GOAWAY). RPCs that are
  // already on their way are still served.
  void StopAccepting();
  // Closes what connections are left; returns when they have closed, or have had the time to. No
  // RPC may be open any more.
  void Shutdown(std::chrono::milliseconds patience);

 private:
  struct Accepted {
    std::unique_ptr<DownstreamConnection> connection;
    std::string by;  // the socket's name
  };

  void Accept(Fd socket, const ListeningSocket& by);
  void OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) override;
  void Log(const DownstreamConnection& connection, const http2::ConnectionEnd& end);

  DownstreamContext context_;
  EventLoop& loop_;
  mutable std::mutex listening_mutex_;
  std::vector<Listening> listening_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unordered_map<const DownstreamConnection*, Accepted> connections_;
  RateLimit line_limit_{20};
  bool stopped_ = false;
  std::atomic<int64_t> connections_count_{0};
  http2::FrameCounts frames_;
  std::array<std::atomic<int64_t>, http2::kFloodKinds> floods_{};
  std::mutex closed_mutex_;
  std::condition_variable closed_;
};

}  // namespace lanekeeper
