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
