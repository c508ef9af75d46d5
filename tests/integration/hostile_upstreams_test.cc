// An upstream that attacks loses its connection: the RPCs on it get UNAVAILABLE, those on the other
// upstream go on, it is counted and told once, and the next connection serves again.
#include <gmock/gmock.h>

#include <future>
#include <memory>

#include "tests/integration/hostile.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr uint32_t kFlood = 200'000;

std::vector<Attack> AttacksOfUpstreams() {
  std::vector<Attack> attacks = AttacksOfBothSides(1, 1);
  attacks.push_back({"a promise that nobody asked for", "protocol_error", "", [](uint32_t nth) {
                       return nth > 0 ? ""
                                      : FrameBytes(kPushPromise, kEndHeaders, 1,
                                                   Word(2) + Literals(RequestFields()));
                     }});
  attacks.push_back(
      {"a stream that nobody opened", "protocol_error", "", [](uint32_t nth) {
         return nth > 0 ? "" : FrameBytes(kHeaders, kEndHeaders, 1001, Literals(ResponseFields()));
       }});
  return attacks;
}

// One connection for each attack, which begins when the first RPC has come and been answered with
// headers: then the connection has proved itself and the next is dialled at once.
void AttackEach(const RawListener& listener) {
  for (const Attack& attack : AttacksOfUpstreams()) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(1)) return;
    peer.Respond(1);
    peer.Send(kPing, 0, 0, "was read");
    if (!peer.Await([&] { return peer.pings_acknowledged() > 0; })) return;
    Send(peer, attack, kFlood);
    peer.AwaitClosed();
  }
  RawPeer last = RawPeer::Accept(listener);
  last.Serve([&](uint32_t stream) { last.Answer(stream, "served"); });
}

class HostileUpstreamsTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(HostileUpstreamsTest);

TEST_P(HostileUpstreamsTest, EachAttackEndsItsConnectionAloneAndIsToldOnce) {
  const KeptLines log;
  FakeUpstream good(Echo);
  ScriptedUpstream hostile(AttackEach);
  ProxyHarness proxy(
      GetParam(), "ipv4:" + good.address() + "," + hostile.address(),
      [](Config& config) { config.upstream.load_balancing = LoadBalancing::kRoundRobin; });
  const MemoryWatch memory;
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  uint32_t neighbour = 0;
  size_t echoed = 0;
  for (const Attack& attack : AttacksOfUpstreams()) {
    SCOPED_TRACE(attack.name);
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_connections", {}, 2));
    const Tally tally(proxy, "upstream", attack);
    const CpuWatch cpu;
    const size_t lost = log.count("connection lost");
    // Taken in turns: one of the two falls to the hostile one.
    const uint32_t first = stream;
    for (; stream < first + 4; stream += 2) client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.Await([&] { return client[first].over() || client[first + 2].over(); }));
    const uint32_t victim = client[first].over() ? first : first + 2;
    EXPECT_EQ(client[victim].status(), "14");
    tally.ExpectOne();
    cpu.ExpectLessThan(kCpuOfAnAttack);
    // Who has said goodbye is not missed.
    const bool may_be_silent = attack.kind == "goaway";
    EXPECT_GE(log.count("connection lost"), lost + (may_be_silent ? 0 : 1));
    EXPECT_LE(log.count("connection lost"), lost + 1);
    if (neighbour == 0) neighbour = first + 2 - (victim - first);
    ASSERT_TRUE(client.Data(neighbour, Framed("x")));
    echoed += Framed("x").size();
    ASSERT_TRUE(client.AwaitData(neighbour, echoed));
  }
  memory.ExpectGrownByLessThan(64 * kMiB);
  EXPECT_LE(log.count("GOAWAY"), 2u);
  EXPECT_EQ(proxy.Metric("lanekeeper_downstream_connections"), 1);
}

// ---- what an upstream may do to one RPC without end

class HostileAnswersTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(HostileAnswersTest);

TEST_P(HostileAnswersTest, InformationalAnswersAndResetsWithoutEndAreFloods) {
  const Attack floods[] = {
      {"103 Early Hints", "flood", "empty_frame",
       [](uint32_t) {
         return FrameBytes(kHeaders, kEndHeaders, 1, Literals({{":status", "103"}}));
       }},
      {"RST_STREAM", "flood", "late_reset",
       [](uint32_t) { return FrameBytes(kRstStream, 0, 1, Word(kCancel)); }}};
  for (const Attack& flood : floods) {
    SCOPED_TRACE(flood.name);
    ScriptedUpstream upstream([&](const RawListener& listener) {
      {
        RawPeer peer = RawPeer::Accept(listener);
        if (!peer.AwaitHeaders(1)) return;
        Send(peer, flood, kFlood);
        EXPECT_TRUE(peer.AwaitClosed());
      }
      RawPeer fresh = RawPeer::Accept(listener);
      fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "served"); });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    const Tally tally(proxy, "upstream", flood);
    RawPeer client = RawPeer::Dial(proxy);
    client.Headers(1, RequestFields());
    EXPECT_TRUE(client.AwaitOver(1));
    tally.ExpectOne();
    EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "served"; }));
  }
}

// As often as it likes: each was asked for.
TEST_P(HostileAnswersTest, AnswersThatBreakTheRulesFailTheirRpcsAlone) {
  constexpr uint32_t kRpcs = 2000;
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      const std::string data = Framed("x");
      switch (stream / 2 % 4) {
        case 0:  // no status
          return peer.Headers(stream, Without(ResponseFields(), ":status"));
        case 1:  // trailers with pseudo-header fields
          peer.Respond(stream);
          return peer.Respond(stream);
        case 2:
          return peer.Reset(stream, kInternalError);
        default:
          peer.Answer(stream, "served");
      }
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t nth = 0; nth < kRpcs; ++nth) {
    const uint32_t stream = 2 * nth + 1;
    client.Ask(stream, "x");
    ASSERT_TRUE(client.AwaitOver(stream));
    ASSERT_EQ(client[stream].status() == "0", stream / 2 % 4 == 3) << stream;
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_faulty_connections_total"), 0);
}

TEST_P(HostileAnswersTest, TenThousandFieldsFailThatRpcAlone) {
  const Fields many(10'000, {"x", "v"});
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      if (stream % 4 == 1) return peer.Headers(stream, ResponseFields(many), kEndStream);
      peer.Respond(stream);
      peer.Headers(stream, many, kEndStream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  const MemoryWatch memory;
  RawPeer client = RawPeer::Dial(proxy);
  for (uint32_t stream = 1; stream < 40; stream += 2) {
    client.Ask(stream, "x");
    ASSERT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "8");
  }
  memory.ExpectGrownByLessThan(32 * kMiB);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

// It costs nothing: nothing is held until it comes.
TEST_P(HostileAnswersTest, AnUpstreamThatNeverAcknowledgesOurSettingsServes) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    while (const auto frame = peer.ReadAny()) {
      if (!frame->ends_stream()) continue;
      peer.Send(kHeaders, kEndHeaders, frame->stream, Literals(ResponseFields()));
      peer.Send(kData, 0, frame->stream, Framed("served"));
      peer.Send(kHeaders, kEndHeaders | kEndStream, frame->stream,
                Literals({{"grpc-status", "0"}}));
    }
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Unary(proxy.channel(), "x").response, "served");
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

}  // namespace
}  // namespace lanekeeper::testing
