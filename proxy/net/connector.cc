#include "proxy/net/connector.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lanekeeper {
namespace {

constexpr Instant kNextAfter = 250'000'000;

std::string ToText(std::chrono::nanoseconds time) {
  const int64_t ms = time / std::chrono::milliseconds(1);
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

}  // namespace

// One socket on its way. Destroyed between two steps of the loop, which may still hold its event.
class Connector::Attempt final : public EventHandler, public Retired {
 public:
  Attempt(Connector& connector, const SocketAddress& to) : address(to), connector_(&connector) {}
  ~Attempt() override { Drop(); }

  // An errno, or 0 when it is on its way.
  int Start() {
    socket = Fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return errno;
    if (address.family() != AF_UNIX) {
      const int on = 1;
      setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      StopPacingFor(socket.get(), address);
    }
    const int result = connect(socket.get(), &address.get(), address.size);
    if (result != 0 && errno != EINPROGRESS) return errno;
    connector_->loop_.Watch(socket.get(), *this, EPOLLOUT);
    watched_ = true;
    return 0;
  }
  void Drop() {
    if (watched_) connector_->loop_.Forget(socket.get());
    watched_ = false;
    socket.Close();
  }
  Fd Take() {
    connector_->loop_.Forget(socket.get());
    watched_ = false;
    return std::move(socket);
  }

  void OnEvents(uint32_t events) override {
    if (!watched_) return;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return connector_->Failed(*this, error);
    if ((events & EPOLLOUT) != 0) connector_->Connected(*this);
  }

  const SocketAddress address;
  Fd socket;

 private:
  Connector* const connector_;
  bool watched_ = false;
};

Connector::Connector(EventLoop& loop, std::vector<SocketAddress> addresses,
                     std::chrono::nanoseconds timeout, Done done)
    : loop_(loop),
      addresses_(std::move(addresses)),
      timeout_(timeout),
      done_(std::move(done)),
      error_("there is no address to connect to"),
      next_timer_(loop.timers(), *this),
      timeout_timer_(loop.timers(), *this) {
  const Instant now = InstantNow();
  next_timer_.Set(now);
  timeout_timer_.Set(now + timeout.count());
}

Connector::~Connector() { DropAttempts(); }

void Connector::StartNext() {
  while (next_ < addresses_.size()) {
    attempts_.push_back(std::make_unique<Attempt>(*this, addresses_[next_++]));
    Attempt& attempt = *attempts_.back();
    const int error = attempt.Start();
    if (error == 0) return next_timer_.Set(loop_.now() + kNextAfter);
    error_ = fmt::format("connect to {}: {}", attempt.address.Name(), std::strerror(error));
    attempts_.pop_back();
  }
  if (attempts_.empty()) Finish({}, {}, error_);
}

void Connector::Failed(Attempt& attempt, int error) {
  error_ = fmt::format("connect to {}: {}", attempt.address.Name(), std::strerror(error));
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const auto& one) { return one.get() == &attempt; });
  attempt.Drop();
  loop_.Retire(std::move(*found));
  attempts_.erase(found);
  if (next_ < addresses_.size() || attempts_.empty()) next_timer_.Set(loop_.now());
}

void Connector::Connected(Attempt& attempt) {
  const SocketAddress address = attempt.address;
  Finish(attempt.Take(), address, {});
}

void Connector::DropAttempts() {
  for (auto& attempt : attempts_) {
    attempt->Drop();
    loop_.Retire(std::move(attempt));
  }
  attempts_.clear();
}

void Connector::OnTimeout() {
  const std::string name = attempts_.empty() ? "the upstream" : attempts_.front()->address.Name();
  Finish({}, {}, fmt::format("connect to {}: no answer within {}", name, ToText(timeout_)));
}

// Those that have lost end here, whether or not somebody keeps the Connector. Done may destroy
// this, so nothing of it is used afterwards; the attempt whose event this may be lives on, retired.
void Connector::Finish(Fd socket, const SocketAddress& address, const std::string& error) {
  next_timer_.Cancel();
  timeout_timer_.Cancel();
  DropAttempts();
  const Done done = std::exchange(done_, nullptr);
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): it may be part of this
  const std::string why = error;
  if (done) done(std::move(socket), address, why);
}

}  // namespace lanekeeper
