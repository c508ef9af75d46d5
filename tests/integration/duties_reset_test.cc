// Resets and lost connections: a code passes as it came, a cancel always arrives, and who gets no
// answer is told so in a status.
#include <gmock/gmock.h>

#include <future>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::StartsWith;

class DutiesResetTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(DutiesResetTest);

TEST_P(DutiesResetTest, TheCodeOfAnUpstreamsResetPasses) {
  // The last is none that the protocol names.
  const std::vector<uint32_t> codes = {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 0x1234};
  for (const bool after_headers : {false, true}) {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      size_t next = 0;
      peer.Serve([&](uint32_t stream) {
        if (next == codes.size()) return peer.Answer(stream, "fine");
        if (after_headers) peer.Respond(stream);
        peer.Reset(stream, codes[next++]);
      });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    uint32_t stream = 1;
    for (const uint32_t code : codes) {
      client.Ask(stream, "x");
      EXPECT_TRUE(client.AwaitOver(stream)) << code;
      EXPECT_FALSE(client[stream].ended) << code;
      EXPECT_EQ(client[stream].reset, code);
      stream += 2;
    }
    client.Ask(stream, "x");
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].data, Framed("fine"));
    EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 0);
    EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
  }
}

// REFUSED_STREAM alone says that nothing was done; after headers it says so in vain.
TEST_P(DutiesResetTest, ARefusalPassesWhenItCannotBeMended) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      if (stream == 1) peer.Respond(stream);
      peer.Reset(stream, kRefusedStream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  for (const uint32_t stream : {1, 3}) {
    client.Ask(stream, "x");
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].reset, kRefusedStream);
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 1);
}

TEST_P(DutiesResetTest, AResetIsCountedAsTheStatusThatItMeans) {
  for (const auto& [reset, status] :
       {std::pair(kRefusedStream, "Unavailable"), std::pair(kCancel, "Canceled"),
        std::pair(kEnhanceYourCalm, "ResourceExhausted"),
        std::pair(kInadequateSecurity, "PermissionDenied"),
        std::pair(kInternalError, "Internal")}) {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      peer.Serve([&](uint32_t stream) {
        peer.Respond(stream);
        peer.Reset(stream, reset);
      });
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    client.Ask(1, "x");
    EXPECT_TRUE(client.AwaitOver(1));
    EXPECT_TRUE(proxy.AwaitMetric("grpc_server_handled_total", {{"grpc_code", status}}, 1))
        << status;
  }
}

TEST_P(DutiesResetTest, AClientsResetPassesUpstream) {
  const std::vector<uint32_t> codes = {kNoError, kInternalError, kCancel, 0x1234};
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    for (uint32_t stream = 1; stream < 2 * codes.size(); stream += 2) {
      if (!peer.AwaitHeaders(stream)) return;
      peer.Respond(stream);
      EXPECT_TRUE(peer.AwaitOver(stream));
      EXPECT_EQ(peer[stream].reset, codes[stream / 2]);
    }
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (const uint32_t code : codes) {
    client.Headers(stream, RequestFields());
    ASSERT_TRUE(client.AwaitHeaders(stream));
    client.Reset(stream, code);
    stream += 2;
  }
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "client_cancel"}},
                                codes.size()));
  const auto resets = [&](const char* side, const char* by) {
    return proxy.Metric("lanekeeper_resets_total", {{"side", side}, {"by", by}});
  };
  EXPECT_EQ(resets("downstream", "peer"), codes.size());
  EXPECT_EQ(resets("upstream", "lanekeeper"), codes.size());
  EXPECT_EQ(resets("upstream", "peer"), 0);
}

TEST_P(DutiesResetTest, ALostClientCancelsUpstream) {
  for (const bool by_reset : {false, true}) {
    ScriptedUpstream upstream([](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      for (const uint32_t stream : {1, 3}) {
        if (!peer.AwaitHeaders(stream)) return;
        peer.Respond(stream);
      }
      for (const uint32_t stream : {1, 3}) {
        EXPECT_TRUE(peer.AwaitOver(stream));
        EXPECT_EQ(peer[stream].reset, kCancel);
      }
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    {
      RawPeer client = RawPeer::Dial(proxy);
      for (const uint32_t stream : {1, 3}) client.Headers(stream, RequestFields());
      for (const uint32_t stream : {1, 3}) ASSERT_TRUE(client.AwaitHeaders(stream));
      if (by_reset) client.http2().Abort();
    }
    EXPECT_TRUE(Eventually([&] { return proxy.app().registry().open() == 0; }));
  }
}

TEST_P(DutiesResetTest, AnAnswerThatEndsBeforeTheRequestIsWhole) {
  RawPeer::Stream seen;
  {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      if (!peer.AwaitHeaders(1)) return;
      peer.Answer(1, "enough");
      EXPECT_TRUE(peer.AwaitOver(1));
      seen = peer[1];
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    client.Headers(1, RequestFields());
    EXPECT_TRUE(client.Await([&] { return client[1].reset.has_value(); }));
    EXPECT_TRUE(client[1].ended);
    EXPECT_EQ(client[1].data, Framed("enough"));
    EXPECT_EQ(client[1].status(), "0");
    EXPECT_EQ(client[1].reset, kNoError);
  }
  EXPECT_FALSE(seen.ended);
  EXPECT_THAT(seen.reset.value_or(kInternalError), AnyOf(Eq(kNoError), Eq(kCancel)));
}

TEST_P(DutiesResetTest, ALostUpstreamIsUnavailableInTrailers) {
  for (const bool after_headers : {false, true}) {
    for (const bool by_reset : {false, true}) {
      std::promise<void> has_headers;
      ScriptedUpstream upstream([&](const RawListener& listener) {
        RawPeer peer = RawPeer::Accept(listener);
        if (!peer.AwaitOver(1)) return;
        if (after_headers) {
          peer.Respond(1);
          peer.Data(1, Framed("early"));
          has_headers.get_future().wait();
        }
        if (by_reset) peer.http2().Abort();
      });
      ProxyHarness proxy(GetParam(), upstream.address());
      RawPeer client = RawPeer::Dial(proxy);
      client.Ask(1, "x");
      if (after_headers) {
        EXPECT_TRUE(client.AwaitData(1, Framed("early").size()));
        has_headers.set_value();
      }
      EXPECT_TRUE(client.AwaitOver(1));
      EXPECT_TRUE(client[1].ended) << "a bare reset says nothing";
      EXPECT_EQ(client[1].blocks.size(), after_headers ? 2u : 1u);
      EXPECT_EQ(client[1].data, after_headers ? Framed("early") : "");
      EXPECT_EQ(client[1].status(), "14");
      EXPECT_THAT(client[1].Value("grpc-message"), StartsWith("lanekeeper: "));
    }
  }
}

// What is late for a cancelled stream counts for the compression of all others (RFC 9113
// section 4.3), and for nothing else.
TEST_P(DutiesResetTest, ALateLongHeaderBlockHarmsNobodyElse) {
  // A literal that enters the dynamic table, and later a reference to it there (RFC 7541 section
  // 6.2.1 and 6.1): index 62 is the newest entry.
  const std::string name = "x-kept";
  const std::string with_indexing = std::string("\x40\x06", 2) + name + "\x01v";
  const std::string newest = "\xbe";
  const std::string block =
      Literals(ResponseFields()) + Literals({{"x-long", std::string(20000, 'v')}}) + with_indexing;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    for (const uint32_t stream : {1, 3}) {
      if (!peer.AwaitHeaders(stream)) return;
    }
    peer.Respond(1);
    peer.Respond(3);
    if (!peer.AwaitOver(3)) return;
    EXPECT_EQ(peer[3].reset, kCancel);
    peer.Send(kHeaders, 0, 3, block.substr(0, kLargestFrame));
    peer.Send(kContinuation, kEndHeaders, 3, block.substr(kLargestFrame));
    peer.Data(3, Framed("late"), kEndStream);
    peer.Data(1, Framed("beside"));
    peer.Send(kHeaders, kEndHeaders | kEndStream, 1, newest + Literals({{"grpc-status", "0"}}));
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer neighbour = RawPeer::Dial(proxy);
  neighbour.Headers(1, RequestFields());
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_start_wait_seconds", {}, 1));
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  ASSERT_TRUE(client.AwaitHeaders(1));
  client.Reset(1, kCancel);
  EXPECT_TRUE(neighbour.AwaitOver(1));
  EXPECT_EQ(neighbour[1].data, Framed("beside"));
  EXPECT_EQ(neighbour[1].Value("x-kept"), "v");
  EXPECT_EQ(neighbour[1].status(), "0");
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

}  // namespace
}  // namespace lanekeeper::testing
