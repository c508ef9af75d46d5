// Floods of frames that cost their sender nothing end the connection that they come over, and no
// other; a few of each are ordinary.
#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

// Echoes the first stream, and leaves all others open: a flood may bring very many.
void EchoFirst(const RawListener& listener) {
  RawPeer peer = RawPeer::Accept(listener);
  if (!peer.AwaitHeaders(1)) return;
  peer.Respond(1);
  size_t echoed = 0;
  peer.Await(
      [&] {
        const std::string rest = peer[1].data.substr(echoed);
        echoed += rest.size();
        if (!rest.empty()) peer.Data(1, rest);
        return peer[1].over();
      },
      std::chrono::seconds(100));
  peer.Finish(1);
  peer.AwaitClosed();
}

class DutiesFloodTest : public BothKinds {
 protected:
  DutiesFloodTest() : upstream_(EchoFirst), proxy_(GetParam(), upstream_.address()) {
    neighbour_ = std::make_unique<DownstreamCall>(proxy_.channel());
    neighbour_->Start();
    ExpectNeighbour();
  }

  ~DutiesFloodTest() override {
    ExpectNeighbour();
    EXPECT_TRUE(neighbour_->End().ok());
    neighbour_.reset();
    EXPECT_EQ(proxy_.Metric("lanekeeper_upstream_connections"), 1);
  }

  void ExpectNeighbour() {
    EXPECT_TRUE(neighbour_->Write("x"));
    EXPECT_EQ(neighbour_->Read(), "x");
  }

  // Sends the frames that it is given, one number after another, and expects to lose the
  // connection. Stream 1 is open.
  void ExpectEnded(const std::function<std::string(uint32_t nth)>& frames) {
    RawPeer client = RawPeer::Dial(proxy_);
    client.Headers(1, RequestFields());
    bool open = true;
    // At least what the kernel's buffers take of a flood whose end is not read.
    for (uint32_t nth = 0; open && nth < kFlood;) {
      std::string batch;
      for (int i = 0; i < 100; ++i) batch += frames(nth++);
      open = client.SendBytes(batch);
    }
    EXPECT_TRUE(client.AwaitClosed());
    ExpectNeighbour();
  }

  static constexpr uint32_t kFlood = 200000;

  ScriptedUpstream upstream_;
  ProxyHarness proxy_;
  std::unique_ptr<DownstreamCall> neighbour_;
};
LANEKEEPER_BOTH_KINDS(DutiesFloodTest);

const std::string& Request() {
  static const std::string block = Literals(RequestFields());
  return block;
}

TEST_P(DutiesFloodTest, OfPingEndsTheConnection) {
  ExpectEnded([](uint32_t nth) { return FrameBytes(kPing, 0, 0, Word(0) + Word(nth)); });
}

TEST_P(DutiesFloodTest, OfSettingsEndsTheConnection) {
  ExpectEnded([](uint32_t) { return FrameBytes(kSettings, 0, 0, ""); });
}

// RFC 9113 section 10.5 names them: each makes others walk all streams.
TEST_P(DutiesFloodTest, OfSettingsThatMoveAllWindowsEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    return FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, 1000 + nth % 2));
  });
}

TEST_P(DutiesFloodTest, OfEmptyDataEndsTheConnection) {
  ExpectEnded([](uint32_t) { return FrameBytes(kData, 0, 1, ""); });
}

TEST_P(DutiesFloodTest, OfRapidResetsEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    const uint32_t stream = 2 * nth + 3;
    return FrameBytes(kHeaders, kEndHeaders, stream, Request()) +
           FrameBytes(kRstStream, 0, stream, Word(kCancel));
  });
  EXPECT_TRUE(Eventually([&] { return proxy_.app().registry().open() == 1; }));
}

// The peer makes us send the resets (CVE-2025-8671).
TEST_P(DutiesFloodTest, OfStreamsThatMustBeResetEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    const uint32_t stream = 2 * nth + 3;
    return FrameBytes(kHeaders, kEndHeaders, stream, Request()) +
           FrameBytes(kWindowUpdate, 0, stream, Word(0));
  });
  EXPECT_TRUE(Eventually([&] { return proxy_.app().registry().open() == 1; }));
}

TEST_P(DutiesFloodTest, OfPriorityEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    return FrameBytes(kPriority, 0, 2 * (nth % 1000) + 3, Word(1) + std::string(1, '\x10'));
  });
}

TEST_P(DutiesFloodTest, OfWindowUpdateEndsTheConnection) {
  ExpectEnded([](uint32_t) { return FrameBytes(kWindowUpdate, 0, 0, Word(1)); });
}

TEST_P(DutiesFloodTest, OfContinuationEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    if (nth == 0) return FrameBytes(kHeaders, 0, 3, Request());
    return FrameBytes(kContinuation, 0, 3, Literals({{"x-more", std::string(50, 'v')}}));
  });
}

TEST_P(DutiesFloodTest, OfEmptyContinuationEndsTheConnection) {
  ExpectEnded([](uint32_t nth) {
    return FrameBytes(nth == 0 ? kHeaders : kContinuation, 0, 3, nth == 0 ? Request() : "");
  });
}

// One byte of a table entry costs 4 KiB of metadata: what counts is the size after decoding.
TEST_P(DutiesFloodTest, OfReferencesToALargeFieldIsRefusedOrEndsTheConnection) {
  const std::string large = std::string("\x40\x07x-large\x7f\xa1\x1e", 12) + std::string(4000, 'v');
  RawPeer client = RawPeer::Dial(proxy_);
  client.Send(kHeaders, kEndHeaders | kEndStream, 1, Request() + large + std::string(8000, '\xbe'));
  EXPECT_TRUE(client.Await([&] { return client[1].over() || client.http2().closed(); }));
  EXPECT_NE(client[1].status(), "0");
  EXPECT_EQ(proxy_.Metric("lanekeeper_upstream_start_wait_seconds"), 1);
}

// ---- what is no flood, and one from the upstream

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

TEST_P(DutiesFramesTest, AFloodFromTheUpstreamEndsThatConnection) {
  for (const std::string& frame :
       {FrameBytes(kPing, 0, 0, "flooding"), FrameBytes(kSettings, 0, 0, "")}) {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      {
        RawPeer peer = RawPeer::Accept(listener);
        if (!peer.AwaitOver(1)) return;
        std::string batch;
        for (int i = 0; i < 1000; ++i) batch += frame;
        for (int i = 0; i < 1000 && peer.SendBytes(batch); ++i) {
        }
        EXPECT_TRUE(peer.AwaitClosed());
      }
      RawPeer fresh = RawPeer::Accept(listener);
      fresh.Serve([&](uint32_t stream) { fresh.Answer(stream, "served"); });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    client.Ask(1, "x");
    EXPECT_TRUE(client.AwaitOver(1));
    EXPECT_EQ(client[1].status(), "14");
    EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").response == "served"; }));
  }
}

}  // namespace
}  // namespace lanekeeper::testing
