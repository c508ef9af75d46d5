// Peers that send what no gRPC library would: their RPC fails, the process and its neighbours do
// not.
#include <gmock/gmock.h>

#include <thread>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"
#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {
namespace {

class RawPeersTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(RawPeersTest);

const std::string kPath = "/s/M";

// Metadata that core accepts from a peer but refuses to send.
const Fields kIllegal[] = {{{"x-bad", "caf\xc3\xa9"}},
                           {{"x-bad", "\x01"}},
                           {{"x bad", "v"}},
                           {{"grpclb_client_stats", "v"}},
                           {{"x-bad", "\x7f"}}};

TEST_P(RawPeersTest, IllegalRequestMetadataFailsThatRpcAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall neighbour(proxy.channel());
  neighbour.Start();
  for (const Fields& fields : kIllegal) {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.SendRequest(1, kPath, fields);
    raw.Send(kData, kEndStream, 1, Framed("x"));
    EXPECT_TRUE(raw.ReadUntilEnd(1).has_value()) << fields[0].first << ": " << fields[0].second;
    ASSERT_TRUE(neighbour.Write("still here"));
    ASSERT_EQ(neighbour.Read(), "still here");
  }
  EXPECT_TRUE(neighbour.End().ok());
  EXPECT_GE(proxy.Metric("lanekeeper_streams_terminated_total", {{"cause", "illegal_metadata"}}),
            2);
}

TEST_P(RawPeersTest, HopByHopFieldsAreNotForwarded) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_TRUE(call.Metadata("connection").empty());
    EXPECT_TRUE(call.Metadata("keep-alive").empty());
    EXPECT_EQ(call.Metadata("x-kept").size(), 1u);
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
  raw.SendRequest(1, kPath, {{"connection", "x"}, {"keep-alive", "y"}, {"x-kept", "z"}});
  raw.Send(kData, kEndStream, 1, Framed("x"));
  EXPECT_TRUE(raw.ReadUntilEnd(1).has_value());
  EXPECT_EQ(upstream.calls(), 1);
}

TEST_P(RawPeersTest, AConnectionThatIsCutMidMessageLeavesNothingBehind) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 20; ++i) {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.SendRequest(1, kPath, {});
    raw.Send(kData, 0, 1, Framed(std::string(1000, 'x')).substr(0, 500));
  }
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_downstream_connections", {}, 0));
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "x");
}

TEST_P(RawPeersTest, GarbageInsteadOfHttp2IsClosed) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 5; ++i) {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.Send(0xff, 0xff, 0xffffffff, std::string(100, '\xff'));
    raw.Send(kHeaders, kEndHeaders, 1, std::string(50, '\xff'));
    while (raw.Read()) {
    }
  }
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "x");
}

// An upstream that answers each RPC by the last letter of its path: with illegal trailers, illegal
// headers, a reset, or an orderly OK.
class RawUpstream {
 public:
  RawUpstream() : thread_([this] { Run(); }) {}
  ~RawUpstream() {
    listener_.Close();
    thread_.join();
  }
  std::string address() const { return listener_.address(); }

 private:
  void Run() {
    std::vector<std::thread> connections;
    for (int fd = listener_.Accept(); fd >= 0; fd = listener_.Accept()) {
      connections.emplace_back([fd] { Serve(RawHttp2::Accepted(fd)); });
    }
    for (std::thread& connection : connections) connection.join();
  }

  static void Serve(RawHttp2 peer) {
    uint32_t answered = 0;
    while (std::optional<Frame> frame = peer.Read(std::chrono::minutes(5))) {
      if (frame->type != kHeaders) continue;
      Answer(peer, frame->stream, answered++);
    }
  }

  static void Answer(const RawHttp2& peer, uint32_t stream, uint32_t nth) {
    const Fields headers = {{":status", "200"}, {"content-type", "application/grpc"}};
    Fields bad_headers = headers;
    bad_headers.push_back({"x-bad", "\x01"});
    switch (nth % 4) {
      case 0:
        peer.Send(kHeaders, kEndHeaders, stream, Literals(headers));
        peer.Send(kHeaders, kEndHeaders | kEndStream, stream,
                  Literals({{"grpc-status", "0"}, {"x-bad", "caf\xc3\xa9"}}));
        break;
      case 1:
        peer.Send(kHeaders, kEndHeaders, stream, Literals(bad_headers));
        break;
      case 2:
        peer.Send(kHeaders, kEndHeaders, stream, Literals(headers));
        peer.Send(kRstStream, 0, stream, std::string("\0\0\0\2", 4));
        break;
      default:
        peer.Send(kHeaders, kEndHeaders, stream, Literals(headers));
        peer.Send(kData, 0, stream, Framed("fine"));
        peer.Send(kHeaders, kEndHeaders | kEndStream, stream, Literals({{"grpc-status", "0"}}));
    }
  }

  RawListener listener_;
  std::thread thread_;
};

TEST_P(RawPeersTest, IllegalResponseMetadataFailsThatRpcAlone) {
  RawUpstream upstream;
  {
    ProxyHarness proxy(GetParam(), upstream.address());
    EXPECT_EQ(Unary(proxy.channel(), "bad trailers").status.error_code(),
              grpc::StatusCode::INTERNAL);
    EXPECT_EQ(Unary(proxy.channel(), "bad headers").status.error_code(),
              grpc::StatusCode::INTERNAL);
    EXPECT_FALSE(Unary(proxy.channel(), "reset").status.ok());
    EXPECT_EQ(Unary(proxy.channel(), "orderly").response, "fine");
    EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_terminated_total",
                                  {{"cause", "illegal_metadata"}}, 2));
    EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
  }
}

}  // namespace
}  // namespace lanekeeper::testing
