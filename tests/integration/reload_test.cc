// What a reload changes that only the upstream, or the clock, can see. The rest: tests/daemon.
#include <gmock/gmock.h>

#include <future>
#include <mutex>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class ReloadTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(ReloadTest);

TEST_P(ReloadTest, AnotherAuthorityIsForNewRpcs) {
  std::mutex mutex;
  std::vector<std::string> authorities;
  FakeUpstream upstream([&](UpstreamCall& call) {
    {
      const std::lock_guard lock(mutex);
      authorities.push_back(call.authority());
    }
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.upstream.authority = "old.example"; });
  DownstreamCall open(proxy.channel());
  open.Start();
  ASSERT_TRUE(open.Write("x"));
  ASSERT_EQ(open.Read(), "x");
  EXPECT_EQ(proxy.Reload([](Config& config) { config.upstream.authority = "new.example"; }),
            ReloadResult::kApplied);
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "x");
  EXPECT_TRUE(open.End().ok());
  const std::lock_guard lock(mutex);
  EXPECT_THAT(authorities, ElementsAre("old.example", "new.example"));
}

TEST_P(ReloadTest, KeepaliveReachesTheConnectionThatIsThere) {
  std::promise<bool> pinged;
  std::promise<void> silent;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.AwaitHeaders(1);
    silent.set_value();
    pinged.set_value(peer.Await([&] { return peer.pings() > 0; }));
    peer.Answer(1, "late");
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  call.Write("x");
  silent.get_future().wait();
  proxy.Reload([](Config& config) { config.upstream.keepalive.time = milliseconds(100); });
  EXPECT_TRUE(pinged.get_future().get());
  EXPECT_EQ(call.Read(), "late");
  EXPECT_TRUE(call.End().ok());
}

// A socket that is closed while its peer writes may cost the peer what it has not read yet.
TEST_P(ReloadTest, APeerOfARemovedListenerMayStillWriteAfterTheEnd) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  client.Data(1, Framed("x"));
  ASSERT_TRUE(client.AwaitData(1, Framed("x").size()));
  EXPECT_EQ(proxy.Reload([](Config& config) { config.listen = {{"localhost:0"}}; }),
            ReloadResult::kApplied);
  ASSERT_TRUE(client.Await([&] { return client.goaways().size() == 2; }));
  client.Data(1, "", kEndStream);
  ASSERT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
  ASSERT_TRUE(client.AwaitClosed());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.Send(kPing, 0, 0, std::string(8, 'p'))) << i;
}

TEST_P(ReloadTest, NothingIsReloadedOnceADrainHasBegun) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  proxy.app().Drain();
  EXPECT_FALSE(proxy.app().Reload("test"));
  EXPECT_FALSE(proxy.app().control().PreviewReload({}));
}

TEST_P(ReloadTest, ReloadsFromManyThreadsAtOnceEachComeToAnEnd) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::vector<std::future<void>> asking;
  for (int i = 0; i < 4; ++i) {
    asking.push_back(std::async(std::launch::async, [&] {
      for (int round = 0; round < 25; ++round) proxy.app().Reload("test");
    }));
  }
  for (int i = 0; i < 25; ++i) EXPECT_EQ(Unary(proxy.channel(), "x").response, "x");
  for (auto& one : asking) one.get();
  EXPECT_EQ(proxy.Metric("lanekeeper_config_reloads_total", {{"result", "unchanged"}}), 100);
}

}  // namespace
}  // namespace lanekeeper::testing
