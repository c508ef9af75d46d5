// A server that answers one RPC with what nobody should send fails that RPC alone: the ping-pong
// stream beside it goes on, over the same upstream connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/wire/lab.h"
#include "tests/conformance/wire/neighbour.h"

namespace lanekeeper::testing::wire {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Ne;

class WireHostileServers : public OverRoutes {
 protected:
  WireHostileServers() : lab_(GetParam()), neighbour_(lab_) {}

  ~WireHostileServers() override {
    neighbour_.Finish();
    if (GetParam().proxies > 0) {
      EXPECT_EQ(lab_.server().connections_used(), 1u);
    }
  }

  // Answers with the fields in headers, in trailers, and in one block.
  void AnswerWith(const Fields& bad) {
    SCOPED_TRACE(Printable(bad[0].first) + ": " + Printable(bad[0].second));
    AskFor([=](Stream& rpc) { rpc.Headers(Response(bad)).Message("x").LastHeaders(Trailers()); });
    AskFor(
        [=](Stream& rpc) { rpc.Headers(Response()).Message("x").LastHeaders(Trailers("0", bad)); });
    AskFor([=](Stream& rpc) { rpc.LastHeaders(TrailersOnly("3", bad)); });
  }

  void AskFor(const Script& answer) {
    lab_.server().On(kPath, [=](Stream& rpc) {
      rpc.AwaitEnd();
      answer(rpc);
    });
    // A client that advertises what clients of gRPC do unless told otherwise.
    Connection connection(lab_.route().target(),
                          {.settings = {{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 8192}}});
    const std::shared_ptr<Stream> rpc = connection.NewStream();
    rpc->Headers(Request()).LastMessage("request");
    EXPECT_TRUE(rpc->AwaitEnd()) << "no answer of any kind";
    EXPECT_TRUE(neighbour_.AwaitMore());
  }

  Lab lab_;
  Neighbour neighbour_;
};
LANEKEEPER_OVER_ROUTES(WireHostileServers);

TEST_P(WireHostileServers, IllegalBytesFailThatRpcAlone) {
  AnswerWith({{"x-bad", "caf\xc3\xa9"}});
  AnswerWith({{"x-bad", "\x01"}});
  AnswerWith({{"x-bad", "a\r\nb"}});
  AnswerWith({{"x bad", "v"}});
  AnswerWith({{"X-Bad", "v"}});
  AnswerWith({{"grpclb_client_stats", "v"}});
  AnswerWith({{"grpc-retry-pushback-ms", "soon"}});
  AnswerWith({{"grpc-encoding", "\xff"}});
}

TEST_P(WireHostileServers, MetadataAboveTheClientsLimitFailsThatRpcAlone) {
  AnswerWith({{"x-large", std::string(20 * 1024, 'v')}});
}

TEST_P(WireHostileServers, AMebibyteOfMetadataFailsThatRpcAlone) {
  if (GetParam().proxies == 0) GTEST_SKIP() << "libnghttp2 refuses it itself";
  AnswerWith(Fields(32, {"x-large", std::string(32 * 1024, 'v')}));
}

TEST_P(WireHostileServers, MessagesThatAreNoneFailThatRpcAlone) {
  AskFor([](Stream& rpc) {
    rpc.Headers(Response()).Message("unknown flag", 7).LastHeaders(Trailers());
  });
  AskFor([](Stream& rpc) {
    rpc.Headers(Response()).Data(Framed("cut").substr(0, 6)).LastHeaders(Trailers());
  });
  AskFor([](Stream& rpc) { rpc.Headers(Response()).LastData(std::string(3, '\0')); });
}

TEST_P(WireHostileServers, AStreamThatIsNeverReadHarmsNobodyElse) {
  lab_.server().On(kPath, [](Stream& rpc) {
    rpc.StopReading();
    rpc.Headers(Response()).AwaitClosed();
  });
  Connection connection(lab_.route().target());
  const std::shared_ptr<Stream> rpc = connection.NewStream();
  rpc->Headers(Request());
  EXPECT_TRUE(rpc->AwaitHeaders());
  // Windows widen while bytes flow: what counts is that they stop.
  constexpr int kMessagesMax = 300;
  int sent = 0;
  do {
    rpc->Message(std::string(100 * 1024, 'x'));
  } while (rpc->AwaitSent(std::chrono::milliseconds(300)) && ++sent < kMessagesMax);
  EXPECT_LT(sent, kMessagesMax) << "30 MB went nowhere";
  EXPECT_TRUE(neighbour_.AwaitMore());
  rpc->Reset(NGHTTP2_CANCEL);
  EXPECT_TRUE(neighbour_.AwaitMore());
}

// What is in a binary field is the application's: it passes, base64 or not, and the connection
// stays.
class WireBadBase64 : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireBadBase64);

TEST_P(WireBadBase64, PassesAsItCameAndHarmsNobody) {
  Lab lab(GetParam());
  Connection connection(lab.route().target());
  lab.server().On("/wire.Neighbour/Open", [](Stream& rpc) {
    rpc.Headers(Response());
    rpc.AwaitClosed();
  });
  const std::shared_ptr<Stream> neighbour = connection.NewStream();
  neighbour->Headers(Request({}, "/wire.Neighbour/Open"));
  EXPECT_TRUE(neighbour->AwaitHeaders());
  for (const char* value : {"****", "A", "AB=C", "AQ,AQ", "AR"}) {
    SCOPED_TRACE(value);
    lab.server().On(kPath, Answer({}, {{"x-bad-bin", value}}));
    const std::shared_ptr<Stream> rpc = connection.NewStream();
    rpc->Headers(Request()).LastMessage("request");
    EXPECT_TRUE(rpc->AwaitEnd()) << "no answer of any kind";
    EXPECT_THAT(ValuesAtEnd(rpc->events(), "grpc-status"), ElementsAre("0"));
    EXPECT_THAT(ValuesAtEnd(rpc->events(), "x-bad-bin"), ElementsAre(value));
    EXPECT_FALSE(neighbour->ended());
  }
  neighbour->Reset(NGHTTP2_CANCEL);
}

}  // namespace
}  // namespace lanekeeper::testing::wire
