// How many connections there are: one, unless upstream.connections allows more and RPCs wait
// because all that there are have no stream left (gRFC A105).
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <list>
#include <set>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

constexpr char kAwaiting[] = "lanekeeper_streams_awaiting_upstream";
constexpr char kConnections[] = "lanekeeper_upstream_connections";
constexpr int kStreams = 2;

class OutageConnectionsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageConnectionsTest);

// Takes two streams on each connection; says on which one an RPC came, then echoes.
class NarrowUpstream {
 public:
  NarrowUpstream()
      : upstream_(
            [](UpstreamCall& call) {
              call.SendHeaders({{"came-over", call.context().peer()}});
              Echo(call);
            },
            0,
            [](grpc::ServerBuilder& builder) {
              builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreams);
            }) {}
  std::string address() const { return upstream_.address(); }

 private:
  FakeUpstream upstream_;
};

std::function<void(Config&)> AtMost(int connections) {
  return [connections](Config& config) { config.upstream.connections = connections; };
}

class OpenCalls {
 public:
  explicit OpenCalls(const ProxyHarness& proxy) : proxy_(proxy) {}

  DownstreamCall& Start() {
    calls_.emplace_back(proxy_.channel());
    calls_.back().Start();
    EXPECT_TRUE(calls_.back().Write("x"));
    return calls_.back();
  }
  // One that has been answered, and the connection that it came over.
  std::string Open() {
    DownstreamCall& call = Start();
    EXPECT_EQ(call.Read(), "x");
    return call.Header("came-over").at(0);
  }
  void EndFirst() {
    EXPECT_TRUE(calls_.front().End().ok());
    calls_.pop_front();
  }
  void EndAll() {
    while (!calls_.empty()) EndFirst();
  }

 private:
  const ProxyHarness& proxy_;
  std::list<DownstreamCall> calls_;
};

TEST_P(OutageConnectionsTest, OneConnectionIsAllThatThereIsUnlessMoreAreAllowed) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address());
  OpenCalls calls(proxy);
  for (int i = 0; i < kStreams; ++i) calls.Open();
  DownstreamCall& waits = calls.Start();
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 1));
  EXPECT_EQ(proxy.Metric(kConnections), 1);
  calls.EndFirst();
  EXPECT_EQ(waits.Read(), "x");
  EXPECT_EQ(proxy.Metric(kConnections), 1);
  calls.EndAll();
}

TEST_P(OutageConnectionsTest, AnotherIsMadeOnlyWhileRpcsWaitAndNoneBeyondTheMost) {
  constexpr int kMost = 3;
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address(), AtMost(kMost));
  OpenCalls calls(proxy);
  std::set<std::string> used;
  for (int i = 0; i < kMost * kStreams; ++i) {
    used.insert(calls.Open());
    EXPECT_EQ(proxy.Metric(kConnections), i / kStreams + 1);
  }
  EXPECT_EQ(used.size(), kMost);
  DownstreamCall& waits = calls.Start();
  EXPECT_TRUE(proxy.AwaitMetric(kAwaiting, {}, 1));
  calls.EndFirst();
  EXPECT_EQ(waits.Read(), "x");
  EXPECT_EQ(used.count(waits.Header("came-over").at(0)), 1u) << "there is a fourth";
  EXPECT_EQ(proxy.Metric(kConnections), kMost);
  calls.EndAll();
}

TEST_P(OutageConnectionsTest, TheOldestWithAFreeStreamIsUsed) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address(), AtMost(2));
  OpenCalls calls(proxy);
  const std::string oldest = calls.Open();
  EXPECT_EQ(calls.Open(), oldest);
  const std::string second = calls.Open();
  EXPECT_NE(second, oldest);
  calls.EndFirst();
  EXPECT_EQ(calls.Open(), oldest);
  EXPECT_EQ(calls.Open(), second);
  calls.EndAll();
}

TEST_P(OutageConnectionsTest, IdleExtrasCloseAndComeBack) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address(), AtMost(3),
                     {.idle_after = std::chrono::milliseconds(100)});
  OpenCalls calls(proxy);
  for (int round = 0; round < 2; ++round) {
    const std::string oldest = calls.Open();
    for (int i = 1; i < 3 * kStreams; ++i) calls.Open();
    EXPECT_EQ(proxy.Metric(kConnections), 3);
    calls.EndAll();
    EXPECT_TRUE(proxy.AwaitMetric(kConnections, {}, 1));
    EXPECT_EQ(calls.Open(), oldest) << "not an extra was closed";
    calls.EndAll();
  }
}

TEST_P(OutageConnectionsTest, AnIdleExtraSaysGoaway) {
  EXPECT_EQ(ChannelTraits().idle_after, std::chrono::minutes(5));
  std::promise<std::vector<Frame>> said;
  ManyConnections upstream([&](int fd, int nth) {
    RawPeer peer(RawHttp2::Accepted(fd, Setting(kMaxConcurrentStreams, 1)));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
    if (nth == 2) said.set_value(peer.goaways());
  });
  ProxyHarness proxy(GetParam(), upstream.address(), AtMost(2),
                     {.idle_after = std::chrono::milliseconds(50)});
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());  // it holds the first connection
  client.Ask(3, "needs another");
  EXPECT_TRUE(client.AwaitOver(3));
  auto goaways = said.get_future();
  ASSERT_EQ(goaways.wait_for(kPatience), std::future_status::ready) << "it was not closed";
  const std::vector<Frame> told = goaways.get();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].Word(4), kNoError);
  client.Data(1, Framed("still here"), kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
}

// With RPCs on it, an extra is not idle, however long.
TEST_P(OutageConnectionsTest, AnExtraWithAnOpenStreamStays) {
  NarrowUpstream upstream;
  ProxyHarness proxy(GetParam(), upstream.address(), AtMost(3),
                     {.idle_after = std::chrono::milliseconds(50)});
  OpenCalls calls(proxy);
  for (int i = 0; i < 2 * kStreams - 1; ++i) calls.Open();
  DownstreamCall& on_the_second = calls.Start();
  EXPECT_EQ(on_the_second.Read(), "x");
  calls.Open();  // on a third, which becomes idle
  for (int i = 0; i < 2 * kStreams - 1; ++i) calls.EndFirst();
  EXPECT_TRUE(on_the_second.Write("y"));
  EXPECT_EQ(on_the_second.Read(), "y");
  calls.EndAll();
  EXPECT_TRUE(proxy.AwaitMetric(kConnections, {}, 1));
}

// A load balancer that takes one connection from each client: the RPCs wait for that one, and the
// others are dialled as seldom as those of an upstream that refuses. Only what an extra may have
// seen fails.
TEST_P(OutageConnectionsTest, ExtrasThatEndAtOnceAreDialledWithPauses) {
  constexpr int kCallers = 4;
  enum class Then { kClose, kSettingsAndClose };
  for (const Then then : {Then::kClose, Then::kSettingsAndClose}) {
    ManyConnections upstream([&](int fd, int nth) {
      if (nth > 1) {
        if (then == Then::kClose)
          RawHttp2::Untouched(fd).Abort();
        else
          RawHttp2::Accepted(fd);
        return;
      }
      RawPeer peer(RawHttp2::Accepted(fd, Setting(kMaxConcurrentStreams, 1)));
      peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
    });
    ProxyHarness proxy(GetParam(), upstream.address(), AtMost(3));
    std::vector<std::thread> callers;
    std::atomic<int> failed{0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        while (std::chrono::steady_clock::now() < end) {
          if (Unary(proxy.channel(), "x").response != "served") ++failed;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_GE(upstream.dials(), 2) << "another was to be tried";
    EXPECT_LE(upstream.dials(), 7);
    EXPECT_LE(failed, then == Then::kClose ? 0 : (upstream.dials() - 1) * kCallers);
  }
}

}  // namespace
}  // namespace lanekeeper::testing
