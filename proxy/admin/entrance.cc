#include "proxy/admin/entrance.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <future>
#include <optional>
#include <utility>

#include "proxy/base/thread_name.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0";  // RFC 9113 section 3.4, the first line
constexpr std::string_view kEndOfHead = "\r\n\r\n";

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

Instant In(std::chrono::nanoseconds time) { return InstantNow() + time.count(); }

}  // namespace

Protocol TellProtocol(std::string_view first_bytes) {
  if (first_bytes.substr(0, kPreface.size()) == kPreface.substr(0, first_bytes.size())) {
    return first_bytes.size() < kPreface.size() ? Protocol::kUndecided : Protocol::kHttp2;
  }
  // A TLS handshake, for one.
  if (!IsUpper(first_bytes[0])) return Protocol::kNeither;
  const bool is_whole = first_bytes.size() >= kFirstBytesMax ||
                        first_bytes.find(kEndOfHead) != std::string_view::npos;
  return is_whole ? Protocol::kHttp1 : Protocol::kUndecided;
}

// In the list of those that wait for as long as it has the connection.
class Entrance::Visitor final : public EventHandler, public Retired, public Link {
 public:
  Visitor(Entrance& entrance, Connection of, Fd duplicate, Instant patience_ends)
      : connection(std::move(of)),
        twin(std::move(duplicate)),
        until(patience_ends),
        entrance_(entrance) {}

  void OnEvents(uint32_t events) override { entrance_.OnEvents(*this, events); }

  std::optional<Connection> connection;
  const Fd twin;
  const Instant until;

 private:
  Entrance& entrance_;
};

Entrance::Entrance(const char* thread_name, std::vector<ListeningSocket> sockets,
                   size_t connections_max, Limits limits, OnProtocol on_protocol)
    : connections_max_(connections_max),
      limits_(limits),
      on_protocol_(std::move(on_protocol)),
      late_timer_(loop_.timers(), *this),
      cut_timer_(loop_.timers(), *this),
      acceptor_(loop_, std::move(sockets), [this](Fd socket, const ListeningSocket&) {
        OnAccept(Connection(std::move(socket)));
      }) {
  acceptor_.Start();
  thread_ = std::thread([this, thread_name] {
    SetThreadName(thread_name);
    while (!loop_.stopped()) loop_.Step();
  });
}

Entrance::~Entrance() {
  loop_.Stop();
  thread_.join();
}

void Entrance::Close(std::chrono::milliseconds grace) {
  std::promise<void> closed;
  loop_.Post([&] {
    acceptor_.StopAccepting();
    while (!waiting_.alone()) Drop(longest_waiting());
    cut_timer_.Set(In(grace));
    closed.set_value();
  });
  closed.get_future().wait();
}

void Entrance::OnAccept(Connection connection) {
  Fd twin(fcntl(connection.fd(), F_DUPFD_CLOEXEC, 0));
  if (!twin || visitors_.size() >= connections_max_) return;
  if (waiting_count_ >= limits_.connections) MakeRoom();
  auto visitor = std::make_unique<Visitor>(*this, std::move(connection), std::move(twin),
                                           In(limits_.patience));
  visitor->Join(waiting_);
  ++waiting_count_;
  if (!late_timer_.is_set()) late_timer_.Set(visitor->until);
  loop_.Watch(visitor->twin.get(), *visitor, EPOLLIN | EPOLLRDHUP);
  visitors_.emplace(visitor.get(), std::move(visitor));
}

// Of many that come at once the first may have said enough already, and only not been heard yet.
void Entrance::MakeRoom() {
  Visitor& longest = longest_waiting();
  OnEvents(longest, EPOLLIN);
  if (waiting_count_ >= limits_.connections) Drop(longest);
}

void Entrance::OnEvents(Visitor& visitor, uint32_t events) {
  if (!visitor.connection) {
    // Both ways are shut: the owner has let go of the connection, or is about to.
    if ((events & EPOLLHUP) != 0) Drop(visitor);
    return;
  }
  std::array<char, kFirstBytesMax> bytes{};
  const ssize_t count =
      recv(visitor.twin.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const Protocol protocol =
      count > 0 ? TellProtocol({bytes.data(), static_cast<size_t>(count)}) : Protocol::kNeither;
  if (protocol == Protocol::kNeither) return Drop(visitor);
  if (protocol != Protocol::kUndecided) HandOver(visitor, protocol);
}

void Entrance::HandOver(Visitor& visitor, Protocol protocol) {
  Connection connection = std::move(*std::exchange(visitor.connection, std::nullopt));
  visitor.Leave();
  --waiting_count_;
  // From now on only its end matters here, which epoll tells without being asked.
  loop_.Forget(visitor.twin.get());
  loop_.Watch(visitor.twin.get(), visitor, 0);
  on_protocol_(protocol, std::move(connection));
}

void Entrance::Drop(Visitor& visitor) {
  if (visitor.connection) --waiting_count_;
  visitor.Leave();
  loop_.Forget(visitor.twin.get());
  const auto found = visitors_.find(&visitor);
  loop_.Retire(std::move(found->second));
  visitors_.erase(found);
}

void Entrance::DropLate() {
  while (!waiting_.alone() && longest_waiting().until <= loop_.now()) Drop(longest_waiting());
  if (!waiting_.alone()) late_timer_.Set(longest_waiting().until);
}

void Entrance::CutAll() {
  for (const auto& [key, visitor] : visitors_) shutdown(visitor->twin.get(), SHUT_RDWR);
}

Entrance::Visitor& Entrance::longest_waiting() { return static_cast<Visitor&>(*waiting_.next); }

}  // namespace lanekeeper
