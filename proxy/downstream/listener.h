// The downstream side as a whole: listening sockets and the connections that came of them. Owns
// both. Made (which binds the sockets) before its loop runs and destroyed after; Start, and what
// follows, from the thread that owns the App, unless it says otherwise: the work is done on the
// loop. Counts and addresses from any thread.
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
#include "proxy/base/words.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/downstream/tls_entrance.h"
#include "proxy/log/rate_limit.h"
#include "proxy/net/acceptor.h"

namespace lanekeeper {

// Why a connection was closed at once; the label of lanekeeper_connections_rejected_total.
enum class ConnectionRejectReason : uint8_t { kConnections };
template <>
inline constexpr auto kLabels<ConnectionRejectReason> =
    std::to_array<Named<ConnectionRejectReason>>(
        {{"connections", ConnectionRejectReason::kConnections}});

class Listener final : public DownstreamConnectionOwner {
 public:
  // An entry of the configuration's list.
  struct Listening {
    std::string address;             // as configured
    std::vector<std::string> names;  // of its sockets, as dialled
    std::vector<int> ports;          // 0 for none
    ListenTlsConfig tls;
    std::shared_ptr<TlsCredentials> credentials;  // null: plaintext
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
  const TlsCounts& tls_counts() const { return tls_entrance_.counts(); }
  // Visits what each listener under TLS shows its clients. Any thread.
  template <class Visit>
  void ForEachCredentials(Visit&& visit) const {
    const std::lock_guard lock(listening_mutex_);
    for (const Listening& one : listening_) {
      if (one.credentials != nullptr) visit(*one.credentials);
    }
  }
  // Connections that were closed as soon as they were accepted.
  int64_t rejected(ConnectionRejectReason reason) const {
    return rejected_[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
  const http2::FrameCounts& frames() const { return frames_; }

  // Another list to listen on. What is new is bound here, by one thread at a time; `problems` has a
  // line for each that cannot be, and then nothing must be applied.
  struct Change {
    std::vector<Listening> listening;     // from then on
    std::vector<ListeningSocket> opened;  // of those, what is new
    std::vector<std::string> closed;      // names of the sockets of those that are in it no more
    std::vector<std::string> problems;
  };
  Change Prepare(const std::vector<ListenConfig>& listen) const;
  // Reads the files of entries whose TLS is another; what is wrong with them is a problem, too. On
  // the loop's thread, where `listening` must end.
  void ReadFiles(Change& change) const;
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
  void Admit(Transport transport, const std::string& by);
  void Reject(int socket, ConnectionRejectReason reason);
  void OnEnd(DownstreamConnection& connection, const http2::ConnectionEnd& end) override;
  void Log(const DownstreamConnection& connection, const http2::ConnectionEnd& end);

  DownstreamContext context_;
  EventLoop& loop_;
  mutable std::mutex listening_mutex_;
  std::vector<Listening> listening_;
  std::unique_ptr<Acceptor> acceptor_;
  TlsEntrance tls_entrance_;
  std::unordered_map<const DownstreamConnection*, Accepted> connections_;
  RateLimit line_limit_{20};
  RateLimit reject_line_limit_{1, 1};
  bool stopped_ = false;
  std::atomic<int64_t> connections_count_{0};
  http2::FrameCounts frames_;
  std::array<std::atomic<int64_t>, kLabels<ConnectionRejectReason>.size()> rejected_{};
  std::mutex closed_mutex_;
  std::condition_variable closed_;
};

}  // namespace lanekeeper
