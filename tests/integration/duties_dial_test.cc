// Upstreams that take a connection and then say nothing, or something else than HTTP/2: their RPCs
// fail in time, and the next connection serves.
#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <string>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::StartsWith;

class DutiesDialTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesDialTest);

// What is said on the first connection, which stays open; all later ones serve.
void SayThenServe(const RawListener& listener, const std::string& first) {
  RawHttp2 odd = RawHttp2::Untouched(listener.Accept());
  odd.SendBytes(first);
  for (int fd = listener.Accept(); fd >= 0; fd = listener.Accept()) {
    RawPeer peer(RawHttp2::Accepted(fd));
    peer.Serve([&](uint32_t stream) { peer.Answer(stream, "served"); });
  }
}

// How long a unary call took that failed with UNAVAILABLE.
milliseconds FailsIn(const ProxyHarness& proxy) {
  const auto begin = steady_clock::now();
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "14");
  EXPECT_THAT(client[1].Value("grpc-message"), StartsWith("lanekeeper: "));
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

bool ServesAgain(const ProxyHarness& proxy) {
  return Eventually([&] { return Unary(proxy.channel(), "x").response == "served"; });
}

TEST_P(DutiesDialTest, AnUpstreamWithoutSettingsIsGivenUpAfterAWhile) {
  ScriptedUpstream upstream([](const RawListener& listener) { SayThenServe(listener, ""); });
  ProxyHarness proxy(GetParam(), upstream.address());
  const milliseconds took = FailsIn(proxy);
  EXPECT_GT(took, seconds(2));
  EXPECT_LT(took, seconds(15));
  EXPECT_TRUE(ServesAgain(proxy));
}

TEST_P(DutiesDialTest, AnRpcThatMayWaitOutlivesAnUpstreamWithoutSettings) {
  ScriptedUpstream upstream([](const RawListener& listener) { SayThenServe(listener, ""); });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.upstream.wait_for_ready = true; });
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "served");
}

// No wait for SETTINGS is needed to see that they will not come.
TEST_P(DutiesDialTest, AnUpstreamOfAnotherProtocolIsGivenUpAtOnce) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        std::string("\x15\x03\x01\x00\x02\x02\x28", 7), std::string("220 mail.test ESMTP\r\n")}) {
    ScriptedUpstream upstream([&](const RawListener& listener) { SayThenServe(listener, bytes); });
    ProxyHarness proxy(GetParam(), upstream.address());
    EXPECT_LT(FailsIn(proxy), seconds(4)) << bytes;
    EXPECT_TRUE(ServesAgain(proxy)) << bytes;
  }
}

// Pushing was turned off, so it breaks the protocol (RFC 9113 section 8.4).
TEST_P(DutiesDialTest, AnUpstreamThatPushesLosesItsConnection) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    {
      RawPeer peer = RawPeer::Accept(listener);
      if (!peer.AwaitOver(1)) return;
      peer.Send(kPushPromise, kEndHeaders, 1, Word(2) + Literals(RequestFields()));
      EXPECT_TRUE(peer.AwaitClosed());
    }
    RawPeer fresh = RawPeer::Accept(listener);
    fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "served"); });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  FailsIn(proxy);
  EXPECT_TRUE(ServesAgain(proxy));
}

// A frozen process keeps its connections, and the kernel goes on taking bytes for it.
TEST_P(DutiesDialTest, AFrozenUpstreamIsFoundByKeepalive) {
  std::promise<void> done;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer frozen = RawPeer::Accept(listener);
    if (!frozen.AwaitOver(1)) return;
    done.get_future().wait();
  });
  ProxyHarness proxy(GetParam(), upstream.address(), [](Config& config) {
    config.upstream.keepalive.time = seconds(1);
    config.upstream.keepalive.timeout = seconds(1);
  });
  EXPECT_LT(FailsIn(proxy), seconds(15));
  done.set_value();
}

}  // namespace
}  // namespace lanekeeper::testing
