// A hostile client harms itself alone: the ping-pong stream beside it goes on, over the same
// upstream connection.
#include <gtest/gtest.h>

#include "tests/conformance/wire/lab.h"
#include "tests/conformance/wire/neighbour.h"

namespace lanekeeper::testing::wire {
namespace {

class WireHostileClients : public OverRoutes {
 protected:
  // The server advertises the limit that servers have unless told otherwise (8 KiB).
  WireHostileClients()
      : lab_(GetParam(), {}, {.settings = {{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 8192}}}),
        neighbour_(lab_) {
    lab_.server().On(kPath, Answer());
  }

  ~WireHostileClients() override {
    neighbour_.Finish();
    if (GetParam().proxies > 0) {
      EXPECT_EQ(lab_.server().connections_used(), 1u);
    }
  }

  const std::string& target() { return lab_.route().target(); }

  // One RPC with these fields, whatever comes of it.
  void Ask(const Fields& more) {
    Connection connection(target());
    const std::shared_ptr<Stream> rpc = connection.NewStream();
    rpc->Headers(Request(more)).LastMessage("request");
    EXPECT_TRUE(rpc->AwaitEnd()) << "no answer of any kind";
    EXPECT_TRUE(neighbour_.AwaitMore());
  }

  Lab lab_;
  Neighbour neighbour_;
};
LANEKEEPER_OVER_ROUTES(WireHostileClients);

TEST_P(WireHostileClients, IllegalBytesHarmNobodyElse) {
  for (const Fields& fields : std::vector<Fields>{{{"x-bad", "caf\xc3\xa9"}},
                                                  {{"x-bad", "\x01"}},
                                                  {{"x-bad", "\x7f"}},
                                                  {{"x-bad", std::string("a\0b", 3)}},
                                                  {{"x-bad", "a\r\nb"}},
                                                  {{"x bad", "v"}},
                                                  {{"X-Bad", "v"}},
                                                  {{"", "v"}},
                                                  {{":bad", "v"}},
                                                  {{"x\xff", "v"}},
                                                  {{"grpclb_client_stats", "v"}},
                                                  {{"grpc-timeout", "soon"}},
                                                  {{"grpc-encoding", "\xff"}},
                                                  {{"content-type", "\xff"}}}) {
    SCOPED_TRACE(Printable(fields[0].first) + ": " + Printable(fields[0].second));
    Ask(fields);
  }
}

TEST_P(WireHostileClients, BadBase64HarmsNobodyElse) {
  for (const char* value : {"****", "A", "AB=C", "AQ,AQ", "AQ==AQ==", "\xff"}) {
    SCOPED_TRACE(Printable(value));
    Ask({{"x-bad-bin", value}});
  }
}

TEST_P(WireHostileClients, MetadataAboveTheServersLimitHarmsNobodyElse) {
  Ask({{"x-large", std::string(20 * 1024, 'v')}});
  Ask({{"x-large-bin", std::string(20 * 1024, 'A')}});
}

TEST_P(WireHostileClients, AMebibyteOfMetadataHarmsNobodyElse) {
  if (GetParam().proxies == 0) GTEST_SKIP() << "libnghttp2 refuses it itself";
  Ask({{"x-large", std::string(1024 * 1024, 'v')}});
  Fields many;
  for (int i = 0; i < 1024; ++i) many.emplace_back("x-many", std::string(1000, 'v'));
  Ask(many);
}

TEST_P(WireHostileClients, StreamsBeforeSettingsAreAcknowledgedHarmNobodyElse) {
  Connection connection(target(), {.acknowledges_settings = false});
  std::vector<std::shared_ptr<Stream>> streams;
  for (int i = 0; i < 300; ++i) {
    streams.push_back(connection.NewStream());
    streams.back()->Headers(Request());
  }
  EXPECT_TRUE(streams.back()->AwaitSent());
  EXPECT_TRUE(neighbour_.AwaitMore());
  for (const auto& stream : streams) stream->Reset(NGHTTP2_CANCEL);
  EXPECT_TRUE(streams.back()->AwaitClosed());
  EXPECT_TRUE(neighbour_.AwaitMore());
}

TEST_P(WireHostileClients, RapidResetsHarmNobodyElse) {
  Connection connection(target());
  std::shared_ptr<Stream> last;
  for (int i = 0; i < 1000; ++i) {
    last = connection.NewStream();
    last->Headers(Request()).Reset(NGHTTP2_CANCEL);
  }
  EXPECT_TRUE(last->AwaitClosed());
  EXPECT_TRUE(neighbour_.AwaitMore());
}

TEST_P(WireHostileClients, AClientThatNeverReadsHarmsNobodyElse) {
  constexpr size_t kTooMuch = 1024 * 1024;
  lab_.server().On(kPath, [](Stream& rpc) {
    rpc.Headers(Response()).Message(std::string(kTooMuch, 'x'));
    rpc.Message(std::string(kTooMuch, 'x')).AwaitClosed();
  });
  Connection connection(target());
  const std::shared_ptr<Stream> rpc = connection.NewStream();
  rpc->StopReading();
  rpc->Headers(Request()).LastMessage("all, please");
  EXPECT_TRUE(rpc->AwaitHeaders());
  EXPECT_TRUE(neighbour_.AwaitMore());
  EXPECT_FALSE(rpc->ended());
  rpc->Reset(NGHTTP2_CANCEL);
  EXPECT_TRUE(neighbour_.AwaitMore());
}

TEST_P(WireHostileClients, ConnectionsCutMidMessageHarmNobodyElse) {
  for (int i = 0; i < 20; ++i) {
    Connection connection(target());
    const std::shared_ptr<Stream> rpc = connection.NewStream();
    rpc->Headers(Request()).Data(Framed(std::string(1000, 'x')).substr(0, 500));
    EXPECT_TRUE(rpc->AwaitSent());
  }
  EXPECT_TRUE(neighbour_.AwaitMore());
}

}  // namespace
}  // namespace lanekeeper::testing::wire
