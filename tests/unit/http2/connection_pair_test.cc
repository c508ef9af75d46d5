// Both roles of Connection against each other: many exchanges at once, each with chunks of its own
// and an end or a reset at a random point. What arrives is what was sent, or the begin of it where
// a reset cut it; at rest no stream is open and no byte is held. Plain, and under TLS.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proxy/base/task.h"
#include "proxy/http2/connection.h"
#include "tests/support/tls_files.h"

namespace lanekeeper::http2 {
namespace {

using lanekeeper::testing::TlsFixture;

// What one end of an exchange sends.
struct Script {
  std::vector<size_t> chunks;
  int reset_at = -1;  // in front of that chunk; -1: never
  bool reset_when_sent = false;
  uint32_t code = 8;
  bool trailers = false;
};

class Talker final : public StreamObserver {
 public:
  Talker(EventLoop& loop, Script script)
      : loop_(loop),
        script_(std::move(script)),
        fiber_(loop.ready()),
        stream(fiber_, loop.buffers(), *this) {}

  Detached Send() {
    for (size_t i = 0; i < script_.chunks.size(); ++i) {
      if (static_cast<int>(i) == script_.reset_at) {
        Reset();
        co_return;
      }
      SliceQueue bytes(loop_.buffers());
      const std::string text(script_.chunks[i], static_cast<char>('a' + i % 26));
      bytes.AppendCopy(reinterpret_cast<const uint8_t*>(text.data()), text.size());
      sent += text;
      const bool taken = co_await stream.Send(std::move(bytes));
      if (!taken) co_return;
    }
    FieldList trailers;
    if (script_.trailers) trailers.Add("grpc-status", "0");
    stream.End(std::move(trailers));
  }

  Detached Receive() {
    SliceQueue bytes(loop_.buffers());
    for (;;) {
      const Received what = co_await stream.Receive(bytes);
      if (what == Received::kHeaders) continue;
      if (what != Received::kData) {
        ended = what == Received::kEnd;
        received_all = true;
        co_return;
      }
      const size_t size = bytes.bytes();
      bytes.Consume(size, [this](Block*, const uint8_t* data, uint32_t part) {
        received.append(reinterpret_cast<const char*>(data), part);
      });
      stream.Consume(size);
    }
  }

  void OnClosed(Stream&) override { ++closed; }
  void OnContractViolation(const char* operation) override { ADD_FAILURE() << operation; }
  Pool& pool() { return loop_.pool(); }
  bool resets() const { return script_.reset_at >= 0; }
  uint32_t code() const { return script_.code; }

 private:
  void Reset() {
    if (script_.reset_when_sent)
      stream.ResetWhenSent(script_.code);
    else
      stream.Reset(script_.code);
  }

  EventLoop& loop_;
  const Script script_;
  Fiber fiber_;

 public:
  Stream stream;
  std::string sent;
  std::string received;
  bool received_all = false;  // that there was
  bool ended = false;
  int closed = 0;
};

class Observer : public ConnectionObserver {
 public:
  virtual ~Observer() = default;
  void OnRequest(int32_t, const FieldList&, bool, bool) override { FAIL() << "a request"; }
  void OnReady() override { ready = true; }
  void OnRoom() override {}
  void OnGoaway(const Goaway&) override { ADD_FAILURE() << "GOAWAY"; }
  void OnPong() override {}
  void OnEnd(const ConnectionEnd& end) override { ADD_FAILURE() << "ended: " << end.text; }
  bool ready = false;
};

class ConnectionPairTest : public ::testing::TestWithParam<std::tuple<uint32_t, bool>> {
 protected:
  ConnectionPairTest() : random_(std::get<0>(GetParam())) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    Fd near(ends[0]);
    Fd far(ends[1]);
    Transport server = under_tls() ? UnderTls(std::move(near), NewServer()) : std::move(near);
    Transport client = under_tls() ? UnderTls(std::move(far), NewClient()) : std::move(far);
    if (under_tls()) Shake(server, client);
    server_observer_.test = this;
    server_ = std::make_unique<Connection>(
        loop_, std::move(server), ConnectionOptions{Side::kDownstream, 65536, &server_frames_},
        server_observer_);
    client_ = std::make_unique<Connection>(
        loop_, std::move(client), ConnectionOptions{Side::kUpstream, 65536, &client_frames_},
        client_observer_);
    EXPECT_TRUE(RunUntil([this] { return client_observer_.ready; }));
  }

  ~ConnectionPairTest() override {
    client_.reset();
    server_.reset();
  }

  static bool under_tls() { return std::get<1>(GetParam()); }
  static Transport UnderTls(Fd socket, std::unique_ptr<TlsSession> session) {
    return {std::move(socket), std::move(session)};
  }
  std::unique_ptr<TlsSession> NewServer() {
    return std::make_unique<TlsSession>(loop_.buffers(), TlsFixture::Server(tls_.ServerFiles()));
  }
  std::unique_ptr<TlsSession> NewClient() {
    return std::make_unique<TlsSession>(loop_.buffers(), TlsFixture::Client(tls_.ClientFiles()),
                                        "server.test");
  }
  static void Shake(Transport& server, Transport& client) {
    using Step = TlsSession::Step;
    Step at_client = Step::kWaits;
    Step at_server = Step::kWaits;
    for (int i = 0; i < 10 && (at_client == Step::kWaits || at_server == Step::kWaits); ++i) {
      if (at_client == Step::kWaits) at_client = client.tls()->Handshake(client.fd());
      if (at_server == Step::kWaits) at_server = server.tls()->Handshake(server.fd());
    }
    EXPECT_EQ(at_client, Step::kDone) << client.tls()->error();
    EXPECT_EQ(at_server, Step::kDone) << server.tls()->error();
  }

  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }

  Script RandomScript() {
    Script script;
    constexpr size_t kSizes[] = {0, 1, 5, 100, 1024, 16384, 16385, 70000, 300000};
    for (size_t i = Pick(6); i > 0; --i) script.chunks.push_back(kSizes[Pick(std::size(kSizes))]);
    if (!script.chunks.empty() && Pick(3) == 0) {
      script.reset_at = static_cast<int>(Pick(script.chunks.size()));
      script.reset_when_sent = Pick(2) == 0;
      script.code = static_cast<uint32_t>(Pick(14));
    }
    script.trailers = Pick(2) == 0;
    return script;
  }

  void StartExchange() {
    Talker& client = clients_.emplace_back(loop_, RandomScript());
    FieldList request;
    request.Add(":method", "POST");
    request.Add(":scheme", "http");
    request.Add(":path", "/s/M");
    request.Add(":authority", "localhost");
    ASSERT_TRUE(client_->Open(client.stream, client.stream.Keep(std::move(request))));
    client.Send();
    client.Receive();
  }

  template <class Condition>
  bool RunUntil(Condition condition) {
    const Instant end = InstantNow() + 20'000'000'000;
    TimerOf<ConnectionPairTest, &ConnectionPairTest::Nothing> wake(loop_.timers(), *this);
    while (!condition()) {
      if (InstantNow() > end) return false;
      wake.Set(InstantNow() + 10'000'000);
      Fiber* fiber = loop_.NextReady();
      if (fiber == nullptr) {
        loop_.Step();
        continue;
      }
      fiber->Leave();
      fiber->Run();
    }
    return true;
  }
  void Nothing() {}

  bool AllClosed() const {
    const auto closed = [](const Talker& talker) {
      return talker.stream.closed() && talker.received_all;
    };
    return client_->open_streams() == 0 && server_->open_streams() == 0 &&
           std::all_of(clients_.begin(), clients_.end(), closed) &&
           std::all_of(servers_.begin(), servers_.end(), closed);
  }

  struct ServerObserver final : Observer {
    void OnRequest(int32_t id, const FieldList& fields, bool, bool end) override {
      EXPECT_EQ(fields.Find(":path"), "/s/M");
      Talker& server = test->servers_.emplace_back(test->loop_, test->RandomScript());
      test->server_of_[id] = &server;
      test->server_->Adopt(id, server.stream, end);
      FieldList response;
      response.Add(":status", "200");
      server.stream.SendHeaders(std::move(response), false);
      server.Send();
      server.Receive();
    }
    ConnectionPairTest* test = nullptr;
  };

  const TlsFixture tls_;
  EventLoop loop_;
  std::mt19937 random_;
  FrameCounts server_frames_;
  FrameCounts client_frames_;
  ServerObserver server_observer_;
  Observer client_observer_;
  std::unique_ptr<Connection> server_;
  std::unique_ptr<Connection> client_;
  std::deque<Talker> clients_;
  std::deque<Talker> servers_;
  std::map<int32_t, const Talker*> server_of_;
};

TEST_P(ConnectionPairTest, WhatArrivesIsWhatWasSentAndNothingIsLeft) {
  constexpr size_t kExchanges = 40;
  while (clients_.size() < kExchanges) {
    StartExchange();
    size_t steps = Pick(4);
    RunUntil([&] { return steps-- == 0; });
  }
  ASSERT_TRUE(RunUntil([this] { return AllClosed(); }));
  for (size_t i = 0; i < kExchanges; ++i) {
    const Talker& client = clients_[i];
    const auto found = server_of_.find(client.stream.id());
    if (found == server_of_.end()) {
      EXPECT_TRUE(client.resets()) << i;  // before its request had left
      continue;
    }
    const Talker& server = *found->second;
    EXPECT_TRUE(server.received == client.sent.substr(0, server.received.size())) << i;
    EXPECT_TRUE(client.received == server.sent.substr(0, client.received.size())) << i;
    if (client.resets() || server.resets()) continue;
    EXPECT_TRUE(client.ended && client.received.size() == server.sent.size())
        << i << ": " << client.received.size() << " of " << server.sent.size()
        << " received, ended " << client.ended << ", closed by "
        << static_cast<int>(client.stream.close_cause());
    // The server ends its side without waiting: what was not received then is nobody's.
    if (server.ended) {
      EXPECT_EQ(server.received.size(), client.sent.size()) << i;
    }
  }
  EXPECT_TRUE(RunUntil([this] { return loop_.buffers().bytes_held() == 0; }))
      << loop_.buffers().bytes_held() << " bytes";
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConnectionPairTest,
                         ::testing::Combine(::testing::Range(1u, 41u), ::testing::Bool()),
                         [](const auto& param) {
                           return (std::get<1>(param.param) ? "Tls" : "Plain") +
                                  std::to_string(std::get<0>(param.param));
                         });

}  // namespace
}  // namespace lanekeeper::http2
