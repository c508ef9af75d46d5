// Servers that count the RST_STREAM of one connection and end it when they are too many (Netty: 200
// in 30 s, h2: 1,024 in all). All clients' cancels share the upstream connection: one that cancels
// in a loop must not take the others down again and again.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <set>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kResetsTaken = 200;

class OutageResetsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageResetsTest);

// Answers each request with headers and, once it has ended, whole; ends a connection at the 201st
// reset.
class CountingUpstream {
 public:
  explicit CountingUpstream(uint32_t code)
      : code_(code), connections_([this](int fd, int) { Serve(fd); }) {}
  std::string address() const { return connections_.address(); }
  int dials() const { return connections_.dials(); }
  int ended() const { return ended_; }

 private:
  void Serve(int fd) {
    RawPeer peer(RawHttp2::Accepted(fd));
    std::set<uint32_t> begun, done;
    uint32_t last = 0;
    peer.Await(
        [&] {
          size_t resets = 0;
          for (const auto& [id, stream] : peer.streams()) {
            last = std::max(last, id);
            if (stream.reset) ++resets;
            if (!stream.blocks.empty() && begun.insert(id).second) peer.Respond(id);
            if (stream.ended && done.insert(id).second) {
              peer.Data(id, Framed("served"));
              peer.Finish(id);
            }
          }
          return peer.http2().closed() || resets > kResetsTaken;
        },
        std::chrono::seconds(100));
    if (peer.http2().closed()) return;
    ++ended_;
    peer.GoAway(last, code_, "too many resets");
  }

  const uint32_t code_;
  std::atomic<int> ended_{0};
  ManyConnections connections_;
};

// A client that starts RPCs, sees the upstream begin to answer, and cancels.
class CancelLoop {
 public:
  explicit CancelLoop(const ProxyHarness& proxy) : client_(RawPeer::Dial(proxy)) {}
  void Cancel(size_t count) {
    for (size_t i = 0; i < count; ++i, next_ += 2) {
      client_.Headers(next_, RequestFields());
      // A connection that has just been lost fails it instead.
      ASSERT_TRUE(client_.AwaitHeaders(next_));
      if (!client_[next_].over()) client_.Reset(next_, kCancel);
    }
  }

 private:
  RawPeer client_;
  uint32_t next_ = 1;
};

void CancelInALoopBesideANeighbour(RpcThreadKind kind, uint32_t code) {
  CountingUpstream upstream(code);
  ProxyHarness proxy(kind, upstream.address());
  CancelLoop loop(proxy);
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Headers(1, RequestFields());
  ASSERT_TRUE(neighbour.AwaitHeaders(1));
  loop.Cancel(kResetsTaken + 1);
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_EQ(neighbour[1].status(), "14");

  neighbour.Headers(3, RequestFields());
  ASSERT_TRUE(neighbour.AwaitHeaders(3));
  for (int round = 0; round < 8; ++round) {
    loop.Cancel(kResetsTaken / 2);
    const UnaryResult unary = Unary(proxy.channel(), "x");
    EXPECT_EQ(unary.response, "served") << unary.status.error_message();
  }
  EXPECT_EQ(upstream.ended(), 1);
  EXPECT_FALSE(neighbour[3].over());
  neighbour.Data(3, Framed("the last"), kEndStream);
  EXPECT_TRUE(neighbour.AwaitOver(3));
  EXPECT_EQ(neighbour[3].status(), "0");
  EXPECT_LE(upstream.dials(), 2 + 10) << "they are replaced more often than there is a reason for";
}

TEST_P(OutageResetsTest, AClientThatCancelsInALoopTakesTheOthersDownOnceAtMost) {
  for (const uint32_t code : {kEnhanceYourCalm, kInternalError}) {
    CancelInALoopBesideANeighbour(GetParam(), code);
  }
}

// What has shown no such limit keeps its one connection.
TEST_P(OutageResetsTest, AnUpstreamThatDoesNotCountKeepsItsConnection) {
  ManyConnections upstream([](int fd, int) {
    RawPeer peer(RawHttp2::Accepted(fd));
    std::set<uint32_t> begun;
    peer.Await(
        [&] {
          for (const auto& [id, stream] : peer.streams()) {
            if (!stream.blocks.empty() && begun.insert(id).second) peer.Respond(id);
          }
          return peer.http2().closed();
        },
        std::chrono::seconds(100));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  CancelLoop loop(proxy);
  loop.Cancel(3 * kResetsTaken);
  EXPECT_EQ(upstream.dials(), 1);
}

}  // namespace
}  // namespace lanekeeper::testing
