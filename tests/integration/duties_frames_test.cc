// Frames that are unusual and yet no attack: a few of each kind, resets of streams that were
// answered, padding.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

const std::string& Request() {
  static const std::string block = Literals(RequestFields());
  return block;
}

class DutiesFramesTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesFramesTest);

// Some clients do so after every RPC.
TEST_P(DutiesFramesTest, ResetsOfStreamsThatWereAnsweredAreOrdinary) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  constexpr uint32_t kRpcs = 3000;  // more than may be reset before their answer
  constexpr uint32_t kAtOnce = 100;
  for (uint32_t first = 0; first < kRpcs; first += kAtOnce) {
    for (uint32_t i = first; i < first + kAtOnce; ++i) client.Ask(2 * i + 1, "x");
    ASSERT_TRUE(client.Await([&] { return client.over() >= first + kAtOnce; }));
    for (uint32_t i = first; i < first + kAtOnce; ++i) client.Reset(2 * i + 1, kNoError);
  }
  client.Ask(2 * kRpcs + 1, "last");
  EXPECT_TRUE(client.AwaitOver(2 * kRpcs + 1));
  EXPECT_TRUE(client.goaways().empty());
}

TEST_P(DutiesFramesTest, AFewOfEachAreOrdinary) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  for (int i = 0; i < 5; ++i) {
    client.Send(kSettings, 0, 0, Setting(kInitialWindowSize, 70000 + static_cast<uint32_t>(i)));
    client.Send(kPriority, 0, 1, Word(0) + std::string(1, '\x10'));
    client.Data(1, "");
    client.Update(0, 1000);
    client.Update(1, 1000);
    const uint32_t stream = 3 + 2 * static_cast<uint32_t>(i);
    client.Headers(stream, RequestFields());
    client.Reset(stream, kCancel);
  }
  client.Send(kPing, 0, 0, "just one");
  client.Send(kHeaders, 0, 101, Request().substr(0, 20));
  for (size_t at = 20; at < Request().size(); at += 50) {
    const bool last = at + 50 >= Request().size();
    client.Send(kContinuation, last ? kEndHeaders : 0, 101, Request().substr(at, 50));
  }
  client.Data(101, Framed("in pieces"), kEndStream);
  EXPECT_TRUE(client.AwaitOver(101));
  EXPECT_EQ(client[101].data, Framed("in pieces"));
  client.Data(1, Framed("whole"), kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].data, Framed("whole"));
  EXPECT_EQ(client.pings_acknowledged(), 1);
  EXPECT_TRUE(client.goaways().empty());
}

TEST_P(DutiesFramesTest, PaddedFramesPassWithoutTheirPadding) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitOver(1)) return;
    const auto padded = [](const Fields& fields) {
      std::string payload(1, '\xc8');
      return payload.append(Literals(fields)).append(200, '\0');
    };
    peer.Send(kHeaders, kEndHeaders | kPadded, 1, padded(ResponseFields()));
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(peer.PaddedData(1, Framed("padded"), 255));
    peer.Send(kHeaders, kEndHeaders | kEndStream | kPadded, 1, padded({{"grpc-status", "0"}}));
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  EXPECT_TRUE(client.AwaitOver(1));
  std::string messages;
  for (int i = 0; i < 1000; ++i) messages += Framed("padded");
  EXPECT_TRUE(client[1].data == messages);
  EXPECT_EQ(client[1].status(), "0");
}

}  // namespace
}  // namespace lanekeeper::testing
