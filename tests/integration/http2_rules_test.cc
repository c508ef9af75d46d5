// RFC 9113, sections 4 to 6 and 8.1, on the listener: what is an error of the stream, what of the
// connection, and with which code. A table; each case has a connection of its own, on which stream
// 1 is open upstream and stream 3 has been answered.
#include <gmock/gmock.h>

#include <functional>
#include <ostream>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

enum class Is { kFine, kStreamError, kConnectionError };

struct Rule {
  const char* what;
  Is is;
  uint32_t code;  // of the error
  std::function<std::string()> frames;
  uint32_t stream = 5;  // whose error it is
};

constexpr uint32_t kOpen = 1;
constexpr uint32_t kAnswered = 3;
constexpr uint32_t kNext = 5;
constexpr uint8_t kUnknownType = 0xfa;
constexpr uint32_t kStreamClosed = 5;
constexpr uint32_t kFrameSizeError = 6;
constexpr uint32_t kCompressionError = 9;

std::string Begun(uint32_t stream, uint8_t flags = 0) {
  return FrameBytes(kHeaders, kEndHeaders | flags, stream, Literals(RequestFields()));
}
std::string Priority(uint32_t depends_on) { return Word(depends_on) + '\x10'; }

std::vector<Rule> SectionFour() {
  return {
      {"4.1 a frame of an unknown type", Is::kFine, 0,
       [] { return FrameBytes(kUnknownType, 0xff, kOpen, "whatever"); }},
      {"4.1 a reserved bit that is set", Is::kFine, 0,
       [] { return FrameBytes(kPing, 0, 0x80000000, std::string(8, 'p')); }},
      {"4.2 DATA above the largest size", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kData, 0, kOpen, std::string(kLargestFrame + 1, '\0')); }},
      {"4.2 HEADERS above the largest size", Is::kConnectionError, kFrameSizeError,
       [] {
         return FrameBytes(kHeaders, kEndHeaders, kNext, std::string(kLargestFrame + 1, '\0'));
       }},
      {"4.3 a block that cannot be decoded", Is::kConnectionError, kCompressionError,
       [] { return FrameBytes(kHeaders, kEndHeaders, kNext, "\xff\xff\xff\xff\xff"); }},
      {"4.3 a block that another frame interrupts", Is::kConnectionError, kProtocolError,
       [] {
         return FrameBytes(kHeaders, 0, kNext, Literals(RequestFields())) +
                FrameBytes(kPing, 0, 0, std::string(8, 'p'));
       }},
  };
}

std::vector<Rule> SectionFive() {
  return {
      {"5.1 DATA on an idle stream", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kData, 0, kNext, "x"); }},
      {"5.1 WINDOW_UPDATE on an idle stream", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kWindowUpdate, 0, kNext, Word(1)); }},
      {"5.1 DATA behind END_STREAM", Is::kConnectionError, kStreamClosed,
       [] { return Begun(kNext, kEndStream) + FrameBytes(kData, 0, kNext, "x"); }},
      {"5.1 HEADERS behind END_STREAM", Is::kConnectionError, kStreamClosed,
       [] { return Begun(kNext, kEndStream) + Begun(kNext, kEndStream); }},
      {"5.1 DATA on a stream that has been answered", Is::kConnectionError, kStreamClosed,
       [] { return FrameBytes(kData, 0, kAnswered, "x"); }},
      {"5.1 HEADERS on a stream that has been answered", Is::kConnectionError, kStreamClosed,
       [] { return Begun(kAnswered, kEndStream); }},
      {"5.1 DATA behind RST_STREAM", Is::kStreamError, kStreamClosed,
       [] {
         return Begun(kNext) + FrameBytes(kRstStream, 0, kNext, Word(kCancel)) +
                FrameBytes(kData, 0, kNext, "x");
       }},
      {"5.1 HEADERS behind RST_STREAM", Is::kStreamError, kStreamClosed,
       [] {
         return Begun(kNext) + FrameBytes(kRstStream, 0, kNext, Word(kCancel)) +
                Begun(kNext, kEndStream);
       }},
      {"5.1 PRIORITY, WINDOW_UPDATE and RST_STREAM on a stream that has been answered", Is::kFine,
       0,
       [] {
         return FrameBytes(kPriority, 0, kAnswered, Priority(kOpen)) +
                FrameBytes(kWindowUpdate, 0, kAnswered, Word(1)) +
                FrameBytes(kRstStream, 0, kAnswered, Word(kCancel));
       }},
      {"5.1.1 an even id", Is::kConnectionError, kProtocolError, [] { return Begun(6); }},
      {"5.1.1 an id that a higher one has skipped", Is::kConnectionError, kProtocolError,
       [] { return Begun(9) + Begun(7); }},
      {"RFC 7540 5.3.1 a stream that depends on itself", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kPriority, 0, kNext, Priority(kNext)); }},
  };
}

std::vector<Rule> SectionSix() {
  return {
      {"6.1 DATA on the connection", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kData, 0, 0, "x"); }},
      {"6.1 padding as long as the frame", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kData, kPadded, kOpen, "\x05pads"); }},
      {"6.2 HEADERS on the connection", Is::kConnectionError, kProtocolError,
       [] { return Begun(0); }},
      {"6.2 padding as long as the frame", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kHeaders, kEndHeaders | kPadded, kNext, "\x05pads"); }},
      {"6.3 PRIORITY on the connection", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kPriority, 0, 0, Priority(kOpen)); }},
      {"6.4 RST_STREAM on the connection", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kRstStream, 0, 0, Word(kCancel)); }},
      {"6.4 RST_STREAM of three bytes", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kRstStream, 0, kOpen, "abc"); }},
      {"6.5 SETTINGS on a stream", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kSettings, 0, kOpen, ""); }},
      {"6.5 SETTINGS of five bytes", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kSettings, 0, 0, "abcde"); }},
      {"6.5 an acknowledgement with a payload", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kSettings, kAck, 0, Setting(kInitialWindowSize, 1)); }},
      {"6.5.2 ENABLE_PUSH of 2", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kSettings, 0, 0, Setting(kEnablePush, 2)); }},
      {"6.5.2 a window above the largest", Is::kConnectionError, kFlowControlError,
       [] { return FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, kLargestWindow + 1)); }},
      {"6.5.2 frames below the smallest size", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kSettings, 0, 0, Setting(SettingId{5}, kLargestFrame - 1)); }},
      {"6.5.2 an unknown setting", Is::kFine, 0,
       [] { return FrameBytes(kSettings, 0, 0, Setting(SettingId{0xfafa}, 7)); }},
      {"6.6 PUSH_PROMISE from a client", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kPushPromise, kEndHeaders, kOpen, Word(2) + Literals({})); }},
      {"6.7 PING on a stream", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kPing, 0, kOpen, std::string(8, 'p')); }},
      {"6.7 PING of seven bytes", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kPing, 0, 0, std::string(7, 'p')); }},
      {"6.7 an acknowledgement that answers nothing", Is::kFine, 0,
       [] { return FrameBytes(kPing, kAck, 0, std::string(8, 'p')); }},
      {"6.8 GOAWAY on a stream", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kGoAway, 0, kOpen, Word(0) + Word(0)); }},
      {"6.9 an update of nothing on the connection", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kWindowUpdate, 0, 0, Word(0)); }},
      {"6.9 an update of nothing on a stream", Is::kStreamError, kProtocolError,
       [] { return Begun(kNext) + FrameBytes(kWindowUpdate, 0, kNext, Word(0)); }},
      {"6.9 WINDOW_UPDATE of three bytes", Is::kConnectionError, kFrameSizeError,
       [] { return FrameBytes(kWindowUpdate, 0, kOpen, "abc"); }},
      {"6.9.1 the connection's window above the largest", Is::kConnectionError, kFlowControlError,
       [] { return FrameBytes(kWindowUpdate, 0, 0, Word(kLargestWindow)); }},
      {"6.9.1 a stream's window above the largest", Is::kStreamError, kFlowControlError,
       [] { return Begun(kNext) + FrameBytes(kWindowUpdate, 0, kNext, Word(kLargestWindow)); }},
      {"6.10 CONTINUATION of no block", Is::kConnectionError, kProtocolError,
       [] { return FrameBytes(kContinuation, kEndHeaders, kOpen, ""); }},
      {"8.1 a second block that is no end", Is::kStreamError, kProtocolError,
       [] {
         return Begun(kNext) + FrameBytes(kHeaders, kEndHeaders, kNext, Literals({{"x", "y"}}));
       }},
      {"8.1 a pseudo-header field among trailers", Is::kStreamError, kProtocolError,
       [] {
         return Begun(kNext) + FrameBytes(kHeaders, kEndHeaders | kEndStream, kNext,
                                          Literals({{":method", "POST"}}));
       }},
  };
}

class Http2RulesTest : public BothKinds {
 protected:
  void ExpectAll(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
      SCOPED_TRACE(rule.what);
      Expect(rule);
    }
  }

  void Expect(const Rule& rule) {
    RawPeer client = RawPeer::Dial(proxy_);
    client.Headers(kOpen, RequestFields());
    client.Ask(kAnswered, "x");
    ASSERT_TRUE(client.AwaitOver(kAnswered));
    ASSERT_TRUE(client.SendBytes(rule.frames()));
    switch (rule.is) {
      case Is::kFine:
        return ExpectServes(client);
      case Is::kStreamError:
        ASSERT_TRUE(client.Await([&] { return client[rule.stream].reset.has_value(); }));
        EXPECT_EQ(client[rule.stream].reset, rule.code);
        return ExpectServes(client);
      case Is::kConnectionError:
        EXPECT_TRUE(client.AwaitClosed());
        ASSERT_FALSE(client.goaways().empty());
        EXPECT_EQ(client.goaways().back().Word(4), rule.code);
    }
  }

  static void ExpectServes(RawPeer& client) {
    client.Ask(1001, "y");
    EXPECT_TRUE(client.AwaitOver(1001));
    EXPECT_EQ(client[1001].data, Framed("y"));
    EXPECT_FALSE(client[kOpen].over());
    EXPECT_TRUE(client.goaways().empty());
  }

  FakeUpstream upstream_{Echo};
  ProxyHarness proxy_{GetParam(), upstream_.address()};
};
LANEKEEPER_BOTH_KINDS(Http2RulesTest);

TEST_P(Http2RulesTest, OfSectionFourHold) { ExpectAll(SectionFour()); }

TEST_P(Http2RulesTest, OfSectionFiveHold) { ExpectAll(SectionFive()); }

TEST_P(Http2RulesTest, OfSectionsSixAndEightHold) { ExpectAll(SectionSix()); }

// RFC 9113 6.4: the connection's end, and clients of gRPC's core do it when they are cancelled
// early.
TEST_P(Http2RulesTest, AResetOfAnIdleStreamEndsTheConnectionOnceItsOpenRpcsHaveEnded) {
  RawPeer client = RawPeer::Dial(proxy_);
  client.Headers(kOpen, RequestFields());
  const std::string reset = FrameBytes(kRstStream, 0, kNext, Word(kCancel));
  // In one piece, and byte by byte.
  ASSERT_TRUE(client.SendBytes(reset));
  for (const char byte : reset) ASSERT_TRUE(client.SendBytes(std::string(1, byte)));
  ASSERT_TRUE(client.Await([&] { return !client.goaways().empty(); }));
  EXPECT_EQ(client.goaways().back().Word(0), uint32_t{0x7fffffff});
  EXPECT_EQ(client.goaways().back().Word(4), kProtocolError);
  ASSERT_TRUE(client.Data(kOpen, Framed("x"), kEndStream));
  ASSERT_TRUE(client.AwaitOver(kOpen));
  EXPECT_EQ(client[kOpen].data, Framed("x"));
  EXPECT_EQ(client[kOpen].status(), "0");
  EXPECT_TRUE(client.AwaitClosed());
  EXPECT_EQ(client.goaways().size(), 1u);
}

TEST_P(Http2RulesTest, AResetOfAnIdleStreamBeforeTheFirstEndsTheConnection) {
  RawPeer client = RawPeer::Dial(proxy_);
  ASSERT_TRUE(client.SendBytes(FrameBytes(kRstStream, 0, kOpen, Word(kCancel))));
  EXPECT_TRUE(client.AwaitClosed());
  ASSERT_FALSE(client.goaways().empty());
  EXPECT_EQ(client.goaways().back().Word(4), kProtocolError);
}

// Data that was on its way when the proxy reset its stream is nobody's fault.
TEST_P(Http2RulesTest, WhatComesLateOnAStreamThatWasResetHarmsNothing) {
  RawPeer client = RawPeer::Dial(proxy_);
  client.Headers(kOpen, RequestFields());
  client.SendBytes(Begun(kNext) + FrameBytes(kWindowUpdate, 0, kNext, Word(0)));
  ASSERT_TRUE(client.AwaitOver(kNext));
  client.Send(kData, 0, kNext, std::string(100, 'x'));
  client.Send(kHeaders, kEndHeaders | kEndStream, kNext, Literals({{"x-trailer", "t"}}));
  client.Ask(7, "y");
  EXPECT_TRUE(client.AwaitOver(7));
  EXPECT_EQ(client[7].data, Framed("y"));
  EXPECT_FALSE(client[kOpen].over());
}

}  // namespace
}  // namespace lanekeeper::testing
