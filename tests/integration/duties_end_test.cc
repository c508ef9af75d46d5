// How an RPC ends is how it ended at the other side: nothing invented, nothing lost, nothing half
// passed off as whole.
#include <gmock/gmock.h>

#include <functional>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The beginning of a message of ten bytes.
const std::string kHalf = Framed("0123456789").substr(0, 9);

class DutiesEndTest : public BothKinds {
 protected:
  using Answer = std::function<void(RawPeer&)>;
  using Request = std::function<void(RawPeer&)>;
  struct Seen {
    RawPeer::Stream upstream;
    RawPeer::Stream downstream;
    // How the RPC was counted; empty when it was not.
    std::string code;
  };

  // One RPC on stream 1 of each side; the answer follows the end of the request.
  Seen Exchange(const Request& request, const Answer& answer) const {
    Seen seen;
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      if (!peer.AwaitOver(1)) return;
      if (peer[1].ended) answer(peer);
      peer.AwaitClosed();
      seen.upstream = peer[1];
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    request(client);
    EXPECT_TRUE(client.AwaitOver(1));
    seen.downstream = client[1];
    EXPECT_TRUE(proxy.AwaitMetric("grpc_server_handled_total", {}, 1));
    for (const char* code : {"OK", "Unknown", "Internal", "Unavailable", "Unauthenticated",
                             "PermissionDenied", "Unimplemented", "NotFound"}) {
      if (proxy.Metric("grpc_server_handled_total", {{"grpc_code", code}}) == 1) seen.code = code;
    }
    return seen;
  }

  Seen Answered(const Answer& answer) const {
    return Exchange([](RawPeer& client) { client.Ask(1, "request"); }, answer);
  }
};
LANEKEEPER_BOTH_KINDS(DutiesEndTest);

void AnswerOk(RawPeer& peer) { peer.Answer(1, "response"); }

TEST_P(DutiesEndTest, AHalfCloseInTheMiddleOfAMessageIsNotPassedOffAsOne) {
  for (const std::string& half : {kHalf, kHalf.substr(0, 3), kHalf.substr(0, 5)}) {
    const Seen seen = Exchange(
        [&](RawPeer& client) {
          client.Headers(1, RequestFields());
          client.Data(1, Framed("whole"));
          client.Data(1, half, kEndStream);
        },
        AnswerOk);
    EXPECT_FALSE(seen.upstream.ended) << half.size();
    EXPECT_EQ(seen.downstream.status(), "13") << half.size();
    EXPECT_THAT(seen.downstream.Value("grpc-message"), StartsWith("lanekeeper: "));
  }
}

TEST_P(DutiesEndTest, HalfAResponseIsNotOk) {
  for (const auto& [sent, received] : {std::pair("0", "13"), std::pair("5", "5")}) {
    const Seen seen = Answered([&](RawPeer& peer) {
      peer.Respond(1);
      peer.Data(1, Framed("whole") + kHalf);
      peer.Finish(1, sent);
    });
    EXPECT_EQ(seen.downstream.status(), received);
    EXPECT_THAT(seen.downstream.data, StartsWith(Framed("whole")));
  }
}

TEST_P(DutiesEndTest, ReservedBitsOfTheFlagByteAreNoneOfOurBusiness) {
  const std::string odd = "\x07" + Framed("odd").substr(1);
  const Seen seen = Exchange(
      [&](RawPeer& client) {
        client.Headers(1, RequestFields());
        client.Data(1, odd, kEndStream);
      },
      [&](RawPeer& peer) {
        peer.Respond(1);
        peer.Data(1, odd);
        peer.Finish(1);
      });
  EXPECT_EQ(seen.upstream.data, odd);
  EXPECT_EQ(seen.downstream.data, odd);
  EXPECT_EQ(seen.downstream.status(), "0");
}

TEST_P(DutiesEndTest, TrailersOnlyStaysOneBlock) {
  const Fields answer = ResponseFields(
      {{"grpc-status", "5"}, {"grpc-message", "no such %41"}, {"x-t", "1"}, {"x-t", "2"}});
  const Seen seen = Answered([&](RawPeer& peer) { peer.Headers(1, answer, kEndStream); });
  EXPECT_TRUE(seen.downstream.ended);
  EXPECT_EQ(seen.downstream.data_frames, 0);
  EXPECT_THAT(seen.downstream.blocks, ElementsAre(ElementsAreArray(answer)));
  EXPECT_EQ(seen.code, "NotFound");
}

TEST_P(DutiesEndTest, HeadersThatComeAlonePassAlone) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    if (!peer.AwaitHeaders(1)) return;
    peer.Respond(1);
    // The client half-closes when it has the headers.
    if (!peer.AwaitOver(1)) return;
    peer.Finish(1);
    peer.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  EXPECT_TRUE(client.AwaitHeaders(1));
  EXPECT_FALSE(client[1].over());
  client.Data(1, "", kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].blocks.size(), 2u);
  EXPECT_EQ(client[1].data_frames, 0);
  EXPECT_EQ(client[1].status(), "0");
}

TEST_P(DutiesEndTest, StatusesPassAsTheyCame) {
  for (const Fields& trailers :
       {Fields{{"grpc-status", "0"}, {"grpc-status", "5"}}, Fields{{"grpc-status", "-1"}},
        Fields{{"grpc-status", "4711"}, {"grpc-message", "beyond"}},
        Fields{{"x-t", "no status"}}}) {
    const Seen seen = Answered([&](RawPeer& peer) {
      peer.Respond(1);
      peer.Data(1, Framed("x"));
      peer.Headers(1, trailers, kEndStream);
    });
    EXPECT_TRUE(seen.downstream.ended);
    EXPECT_THAT(seen.downstream.last(), ElementsAreArray(trailers));
  }
}

TEST_P(DutiesEndTest, AnEndWithoutTrailersPasses) {
  for (const bool on_a_frame_of_its_own : {false, true}) {
    const Seen seen = Answered([&](RawPeer& peer) {
      peer.Respond(1);
      peer.Data(1, Framed("x"), on_a_frame_of_its_own ? 0 : kEndStream);
      if (on_a_frame_of_its_own) peer.Data(1, "", kEndStream);
    });
    EXPECT_TRUE(seen.downstream.ended);
    EXPECT_EQ(seen.downstream.blocks.size(), 1u);
    EXPECT_EQ(seen.downstream.data, Framed("x"));
    EXPECT_EQ(seen.code, "Unknown");
  }
}

// What is behind lanekeeper may be no gRPC server at all: a load balancer's page, say.
TEST_P(DutiesEndTest, AnAnswerOfHttpPassesAndIsCountedAsTheStatusThatItMeans) {
  const std::string page = "<html>no healthy upstream</html>";
  for (const auto& [status, code] :
       {std::pair("400", "Internal"), std::pair("401", "Unauthenticated"),
        std::pair("403", "PermissionDenied"), std::pair("404", "Unimplemented"),
        std::pair("429", "Unavailable"), std::pair("431", "Internal"),
        std::pair("502", "Unavailable"), std::pair("503", "Unavailable"),
        std::pair("504", "Unavailable"), std::pair("418", "Unknown"),
        std::pair("500", "Unknown")}) {
    const Fields headers = {
        {":status", status}, {"content-type", "text/html"}, {"retry-after", "1"}};
    const Seen seen = Answered([&](RawPeer& peer) {
      peer.Headers(1, headers);
      peer.Data(1, page, kEndStream);
    });
    EXPECT_THAT(seen.downstream.blocks, ElementsAre(ElementsAreArray(headers)));
    EXPECT_EQ(seen.downstream.data, page);
    EXPECT_TRUE(seen.downstream.ended);
    EXPECT_EQ(seen.code, code) << status;
  }
}

TEST_P(DutiesEndTest, TrailersOfARequestAreItsHalfClose) {
  for (const Fields& trailers : {Fields{{"x-trailer", "v"}}, Fields{}}) {
    const Seen seen = Exchange(
        [&](RawPeer& client) {
          client.Headers(1, RequestFields());
          client.Data(1, Framed("request"));
          client.Headers(1, trailers, kEndStream);
        },
        AnswerOk);
    EXPECT_TRUE(seen.upstream.ended);
    EXPECT_EQ(seen.upstream.data, Framed("request"));
    EXPECT_EQ(seen.downstream.data, Framed("response"));
    EXPECT_EQ(seen.downstream.status(), "0");
  }
}

// RFC 9113 section 8.1: a block in the middle is malformed.
TEST_P(DutiesEndTest, ABlockThatIsNeitherHeadersNorTrailersFailsThatRpcAlone) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    peer.Serve([&](uint32_t stream) {
      if (stream > 1) return peer.Answer(stream, "fine");
      peer.Respond(stream);
      peer.Data(stream, Framed("x"));
      peer.Headers(stream, {{"x-middle", "v"}});
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Ask(1, "x");
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_NE(client[1].status(), "0");
  client.Ask(3, "x");
  EXPECT_TRUE(client.AwaitOver(3));
  EXPECT_EQ(client[3].data, Framed("fine"));
}

// A limit is known as soon as the prefix says how long the message will be.
TEST_P(DutiesEndTest, AMessageAboveTheLimitIsRefusedAtItsPrefix) {
  const std::string prefix = Framed(std::string(1001, 'x')).substr(0, 5);
  for (const bool request : {true, false}) {
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      if (!peer.AwaitHeaders(1)) return;
      if (!request) {
        peer.Respond(1);
        peer.Data(1, prefix);
      }
      EXPECT_TRUE(peer.AwaitOver(1));
      EXPECT_EQ(peer[1].reset, kCancel);
      EXPECT_THAT(peer[1].data, IsEmpty());
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address(),
                       [](Config& config) { config.limits.message_size_bytes = 1000; });
    RawPeer client = RawPeer::Dial(proxy);
    client.Headers(1, RequestFields());
    // Behind the headers, which must have gone upstream to be cancelled there.
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_upstream_start_wait_seconds", {}, 1));
    if (request) client.Data(1, prefix);
    EXPECT_TRUE(client.AwaitOver(1));
    EXPECT_EQ(client[1].status(), "8");
    EXPECT_THAT(client[1].Value("grpc-message"), StartsWith("lanekeeper: message of 1001 bytes"));
  }
}

}  // namespace
}  // namespace lanekeeper::testing
