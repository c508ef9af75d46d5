// GOAWAY (RFC 9113 section 6.8): what the upstream has certainly not seen is sent again, what it
// may have seen never is, and a client is told in time.
#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <functional>
#include <future>
#include <list>
#include <thread>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

class DutiesGoawayTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesGoawayTest);

// Streams 1, 3 and so on, which go upstream in that order.
void AskInOrder(const ProxyHarness& proxy, RawPeer& client, uint32_t last_stream) {
  for (uint32_t stream = 1; stream <= last_stream; stream += 2) {
    client.Ask(stream, "x");
    // At least: what is sent again starts once more.
    ASSERT_TRUE(Eventually([&] {
      return proxy.Metric("lanekeeper_upstream_start_wait_seconds") >= (stream + 1) / 2;
    }));
  }
}

// Counts the streams of every further connection and answers them.
void ServeRest(const RawListener& listener, std::atomic<int>& arrived) {
  for (int fd = listener.Accept(); fd >= 0; fd = listener.Accept()) {
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) {
      ++arrived;
      peer.Answer(stream, "rest");
    });
  }
}

// nginx ends a connection after so many requests: whoever waits must not use up its retries on
// connections that it never was on.
TEST_P(DutiesGoawayTest, RpcsThatWaitForASlotOutliveManyGoaways) {
  constexpr int kRpcs = 10;
  ScriptedUpstream upstream([](const RawListener& listener) {
    std::list<RawPeer> peers;
    for (int i = 0; i < kRpcs; ++i) {
      peers.push_back(RawPeer::Accept(listener, Setting(kMaxConcurrentStreams, 1)));
      RawPeer& peer = peers.back();
      if (!peer.AwaitOver(1)) return;
      peer.Answer(1, "served");
      peer.GoAway(1);
    }
    peers.back().AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  std::vector<std::thread> callers;
  for (int i = 0; i < kRpcs; ++i) {
    callers.emplace_back([&] {
      const UnaryResult result = Unary(proxy.channel(), "x");
      EXPECT_EQ(result.response, "served") << result.status.error_message();
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_P(DutiesGoawayTest, WhatTheGoawayCoversIsNotSentAgainWhenTheConnectionBreaks) {
  const std::vector<std::function<void(RawPeer&)>> breaks = {
      [](RawPeer&) {}, [](RawPeer& peer) { peer.http2().Abort(); },
      [](RawPeer& peer) {
        peer.Update(0, 0);
        peer.AwaitClosed();
      },
      [](RawPeer& peer) {
        peer.Send(kPing, 0, 0, "7 bytes");
        peer.AwaitClosed();
      }};
  for (const auto& break_it : breaks) {
    std::atomic<int> arrived{0};
    ScriptedUpstream upstream([&](const RawListener& listener) {
      {
        RawPeer peer = RawPeer::Accept(listener);
        if (!peer.AwaitOver(1)) return;
        peer.GoAway(1);
        break_it(peer);
      }
      ServeRest(listener, arrived);
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    EXPECT_EQ(Unary(proxy.channel(), "an action").status.error_code(),
              grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(arrived, 0);
    EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "another").status.ok(); }));
    EXPECT_EQ(arrived, 1);
    EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 0);
  }
}

// ---- in two steps: nothing new from the first on, the last id in the second

// Three open streams on a connection that says that it will go, in the first of two steps.
RawPeer AcceptThreeAndGoAway(const RawListener& listener) {
  RawPeer old = RawPeer::Accept(listener);
  for (const uint32_t stream : {1, 3, 5}) EXPECT_TRUE(old.AwaitOver(stream));
  old.GoAway(kLargestWindow);
  old.Send(kPing, 0, 0, "two step");
  EXPECT_TRUE(old.Await([&] { return old.pings_acknowledged() == 1; }));
  return old;
}

TEST_P(DutiesGoawayTest, InTwoStepsOnlyWhatIsAboveTheLastIdIsSentAgain) {
  std::promise<void> first_step_is_known;
  std::promise<void> fourth_is_served;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer old = AcceptThreeAndGoAway(listener);
    first_step_is_known.set_value();
    RawPeer fresh = RawPeer::Accept(listener);
    EXPECT_TRUE(fresh.AwaitOver(1));
    fresh.Answer(1, "fourth");
    fourth_is_served.get_future().wait();
    old.GoAway(3);
    EXPECT_TRUE(fresh.AwaitOver(3));
    fresh.Answer(3, "again");
    for (const uint32_t stream : {1, 3}) old.Answer(stream, "old");
    EXPECT_TRUE(old.AwaitClosed());
    EXPECT_EQ(old.streams().rbegin()->first, 5u) << "began behind the GOAWAY";
    EXPECT_EQ(fresh.streams().size(), 2u);
    fresh.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  AskInOrder(proxy, client, 5);
  first_step_is_known.get_future().wait();
  client.Ask(7, "fourth");
  EXPECT_TRUE(client.AwaitOver(7));
  EXPECT_EQ(client[7].data, Framed("fourth"));
  fourth_is_served.set_value();
  for (const uint32_t stream : {1, 3, 5}) {
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].data, Framed(stream == 5 ? "again" : "old")) << stream;
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 1);
}

TEST_P(DutiesGoawayTest, BetweenTheTwoStepsEverythingMayHaveBeenSeen) {
  std::atomic<int> arrived{0};
  ScriptedUpstream upstream([&](const RawListener& listener) {
    { const RawPeer old = AcceptThreeAndGoAway(listener); }
    ServeRest(listener, arrived);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  AskInOrder(proxy, client, 5);
  for (const uint32_t stream : {1, 3, 5}) {
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "14");
  }
  EXPECT_EQ(arrived, 0);
}

TEST_P(DutiesGoawayTest, TheLastIdCountsWhateverTheCodeAndTheText) {
  std::string controls(1024, '\0');
  for (size_t i = 0; i < controls.size(); ++i) controls[i] = static_cast<char>(i);
  for (const auto& [code, text] :
       {std::pair(kEnhanceYourCalm, std::string("too_many_pings")),
        std::pair(kInternalError, controls), std::pair(kProtocolError, controls)}) {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      {
        RawPeer old = RawPeer::Accept(listener);
        for (const uint32_t stream : {1, 3}) EXPECT_TRUE(old.AwaitOver(stream));
        old.GoAway(1, code, text);
      }
      RawPeer fresh = RawPeer::Accept(listener);
      fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "again"); });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    AskInOrder(proxy, client, 3);
    EXPECT_TRUE(client.AwaitOver(1));
    EXPECT_EQ(client[1].status(), "14");
    EXPECT_TRUE(client.AwaitOver(3));
    EXPECT_EQ(client[3].data, Framed("again"));
    EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 1);
  }
}

// ---- upstreams that are of no use

// A load balancer without backends takes connections and ends them at once: not a reason to dial it
// a thousand times a second.
TEST_P(DutiesGoawayTest, AnUpstreamThatConnectsAndClosesIsDialledWithPauses) {
  constexpr std::chrono::seconds kLasts(3);
  enum class Then { kReset, kGoaway, kClose };
  for (const Then then : {Then::kReset, Then::kGoaway, Then::kClose}) {
    std::atomic<int> dials{0};
    ScriptedUpstream upstream([&](const RawListener& listener) {
      for (int fd = listener.Accept(); fd >= 0; fd = listener.Accept()) {
        ++dials;
        if (then == Then::kReset) {
          RawHttp2::Untouched(fd).Abort();
          continue;
        }
        RawPeer peer(RawHttp2::Accepted(fd));  // its SETTINGS have been sent
        if (then == Then::kGoaway) peer.GoAway(0);
      }
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    const auto end = std::chrono::steady_clock::now() + kLasts;
    int calls = 0;
    for (; std::chrono::steady_clock::now() < end; ++calls) {
      DownstreamCall call(proxy.channel());
      call.SetTimeout(kPatience);
      EXPECT_EQ(call.Start().End().error_code(), grpc::StatusCode::UNAVAILABLE);
    }
    EXPECT_GT(calls, 50) << "they do not fail fast";
    EXPECT_LE(dials, 8);
    EXPECT_GE(dials, 1);
  }
}

// Netty's servers do so (200 in 30 s): unlucky for the others, but not for long.
TEST_P(DutiesGoawayTest, AnUpstreamThatCountsResetsServesTheOthersAgain) {
  constexpr size_t kPatienceForResets = 200;
  ScriptedUpstream upstream([](const RawListener& listener) {
    {
      RawPeer old = RawPeer::Accept(listener);
      if (!old.AwaitHeaders(1)) return;
      old.Respond(1);
      EXPECT_TRUE(old.Await([&] { return old.over() > kPatienceForResets; }));
      old.GoAway(1, kEnhanceYourCalm, "too many resets");
    }
    RawPeer fresh = RawPeer::Accept(listener);
    fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "served again"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Headers(1, RequestFields());
  ASSERT_TRUE(neighbour.AwaitHeaders(1));
  // Each waits until it has gone upstream: who cancels earlier than that harms nobody.
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t i = 0; i <= kPatienceForResets; ++i) {
    client.Headers(2 * i + 1, RequestFields());
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_start_wait_seconds", {}, i + 2));
    client.Reset(2 * i + 1, kCancel);
  }
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_EQ(neighbour[1].status(), "14");
  EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "served again"; }));
}

TEST_P(DutiesGoawayTest, AConnectionsAgeEndsItsStreamsAndNoUnaryCall) {
  FakeUpstream upstream(Echo, 0, [](grpc::ServerBuilder& builder) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 200);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 300);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall idle(proxy.NewChannel());
  idle.Start();
  ASSERT_TRUE(idle.Write("x"));
  ASSERT_EQ(idle.Read(), "x");
  std::atomic<bool> ended{false};
  std::thread caller([&] {
    while (!ended) {
      const grpc::Status status = Unary(proxy.channel(), "x").status;
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  });
  EXPECT_EQ(idle.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  ended = true;
  caller.join();
}

}  // namespace
}  // namespace lanekeeper::testing
