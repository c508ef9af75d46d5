#include "proxy/net/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace lanekeeper {
namespace {

// How long to leave the backlog alone when the process has no descriptor for a new connection.
constexpr int kPauseMs = 100;
// So many of one socket before others have their turn.
constexpr int kAcceptsMax = 64;
// What is left to others.
constexpr rlim_t kLeftMax = 64;
constexpr rlim_t kLeftShare = 8;

bool IsExhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// A new descriptor is the lowest number that is free (POSIX), so those from here on are the last.
int FirstLeft() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return INT_MAX;
  const rlim_t first = limit.rlim_cur - std::min(limit.rlim_cur / kLeftShare, kLeftMax);
  return static_cast<int>(std::min<rlim_t>(first, INT_MAX));
}

// As grpc-go's servers ask clients that say nothing: after 2 hours, and 20 s to answer. A client
// whose machine has vanished would keep its RPCs for ever. Where something is unacknowledged TCP
// itself gives up.
void SetManners(int fd) {
  constexpr int kOn = 1;
  constexpr int kIdleSeconds = 2 * 60 * 60;
  constexpr int kProbes = 2;
  constexpr int kSecondsPerProbe = 10;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kSecondsPerProbe, sizeof kSecondsPerProbe);
}

}  // namespace

class Acceptor::Socket final : public EventHandler, public Retired {
 public:
  Socket(Acceptor& acceptor, ListeningSocket socket)
      : acceptor_(acceptor), name_(socket.name()), socket_(std::move(socket)) {}

  const std::string& name() const { return name_; }
  void Watch() { acceptor_.loop_.Watch(socket_->fd(), *this, EPOLLIN); }
  void Close() {
    acceptor_.loop_.Forget(socket_->fd());
    socket_.reset();
  }
  // What is missed in a pause is there after it: AcceptAll asks every socket.
  void OnEvents(uint32_t) override {
    if (!acceptor_.paused_) Accept();
  }

  // Edge-triggered: until there is no more.
  void Accept() {
    for (int i = 0; socket_ && i < kAcceptsMax; ++i) {
      if (acceptor_.scarce_ && !SomebodyWaits()) return;
      if (acceptor_.scarce_ && IsScarce()) return acceptor_.Pause(*socket_, EMFILE);
      Fd fd(accept4(socket_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) {
        if (errno == EAGAIN) return;
        if (IsExhaustion(errno)) return acceptor_.Pause(*socket_, errno);
        continue;  // the fault of one peer, which has gone
      }
      acceptor_.scarce_ = acceptor_.IsTaken(fd.get());
      if (!socket_->is_unix()) SetManners(fd.get());
      acceptor_.on_connection_(std::move(fd), *socket_);
    }
    // Not in this turn: what is due now runs until nothing is.
    if (socket_) acceptor_.again_timer_.Set(acceptor_.loop_.now() + 1);
  }

 private:
  bool SomebodyWaits() const {
    pollfd waiting{socket_->fd(), POLLIN, 0};
    return poll(&waiting, 1, 0) > 0;
  }
  bool IsScarce() const {
    const Fd next(fcntl(socket_->fd(), F_DUPFD_CLOEXEC, 0));
    return acceptor_.IsTaken(next.get());
  }

  Acceptor& acceptor_;
  const std::string name_;
  std::optional<ListeningSocket> socket_;
};

Acceptor::Acceptor(EventLoop& loop, std::vector<ListeningSocket> sockets,
                   OnConnection on_connection, Descriptors descriptors)
    : loop_(loop), on_connection_(std::move(on_connection)), again_timer_(loop.timers(), *this) {
  if (descriptors == Descriptors::kLeaveSome) first_left_ = FirstLeft();
  Add(std::move(sockets));
}

Acceptor::~Acceptor() { StopAccepting(); }

void Acceptor::Add(std::vector<ListeningSocket> sockets) {
  for (ListeningSocket& socket : sockets) {
    sockets_.push_back(std::make_unique<Socket>(*this, std::move(socket)));
    if (started_) sockets_.back()->Watch();
  }
}

void Acceptor::Remove(const std::vector<std::string>& names) {
  const auto gone = std::stable_partition(sockets_.begin(), sockets_.end(), [&](const auto& one) {
    return std::find(names.begin(), names.end(), one->name()) == names.end();
  });
  for (auto socket = gone; socket != sockets_.end(); ++socket) {
    (*socket)->Close();
    loop_.Retire(std::move(*socket));
  }
  sockets_.erase(gone, sockets_.end());
}

void Acceptor::Start() {
  started_ = true;
  for (const auto& socket : sockets_) socket->Watch();
}

void Acceptor::StopAccepting() {
  again_timer_.Cancel();
  for (auto& socket : sockets_) {
    socket->Close();
    loop_.Retire(std::move(socket));
  }
  sockets_.clear();
}

// A connection may lead to StopAccepting, which empties the list and retires the socket in use.
void Acceptor::AcceptAll() {
  paused_ = false;
  for (size_t i = 0; i < sockets_.size() && !paused_; ++i) sockets_[i]->Accept();
}

void Acceptor::Pause(const ListeningSocket& socket, int error) {
  paused_ = true;
  failures_.fetch_add(1, std::memory_order_relaxed);
  spdlog::warn("cannot accept a connection on {}: {}; trying again in {} ms", socket.name(),
               std::strerror(error), kPauseMs);
  again_timer_.Set(loop_.now() + Instant{kPauseMs} * 1'000'000);
}

}  // namespace lanekeeper
