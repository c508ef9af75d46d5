// Compressed messages cross compressed, with the algorithm named as the sender named it.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/support/core_symbols.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"
#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {
namespace {

class CompressionTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(CompressionTest);

const std::string kCompressible(100000, 'z');

// Shows the upstream the bytes as they are on the wire.
void KeepCompressed(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
}

TEST_P(CompressionTest, CompressedRequestsReachTheUpstreamCompressed) {
  FakeUpstream upstream(
      [](UpstreamCall& call) {
        EXPECT_EQ(grpc_call_test_only_get_compression_algorithm(call.context().c_call()),
                  GRPC_COMPRESS_GZIP);
        const std::string request = call.Read().value_or("");
        EXPECT_LT(request.size(), kCompressible.size() / 10);
        EXPECT_EQ(request.substr(0, 2), "\x1f\x8b");  // gzip's own mark
        call.Finish();
      },
      0, KeepCompressed);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.context().set_compression_algorithm(GRPC_COMPRESS_GZIP);
  call.Start();
  call.Write(kCompressible);
  EXPECT_TRUE(call.End().ok());
  EXPECT_LT(proxy.Metric("lanekeeper_stream_message_bytes_total", {{"direction", "to_upstream"}}),
            static_cast<double>(kCompressible.size()) / 10);
}

TEST_P(CompressionTest, CompressedResponsesAreReadByTheDownstream) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.context().set_compression_algorithm(GRPC_COMPRESS_DEFLATE);
    call.Write(kCompressible);
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.Read(), kCompressible);
  EXPECT_EQ(grpc_call_test_only_get_compression_algorithm(call.context().c_call()),
            GRPC_COMPRESS_DEFLATE);
  EXPECT_TRUE(call.End().ok());
  EXPECT_LT(proxy.Metric("lanekeeper_stream_message_bytes_total", {{"direction", "to_downstream"}}),
            static_cast<double>(kCompressible.size()) / 10);
}

TEST_P(CompressionTest, UncompressedMessagesAreNotCompressed) {
  FakeUpstream upstream(
      [](UpstreamCall& call) {
        EXPECT_EQ(call.Read(), kCompressible);
        call.Write(kCompressible);
        call.Finish();
      },
      0, KeepCompressed);
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_EQ(Unary(proxy.channel(), kCompressible).response, kCompressible);
}

TEST_P(CompressionTest, TheUpstreamLearnsWhatTheDownstreamAccepts) {
  constexpr uint32_t kIdentity = 1U << GRPC_COMPRESS_NONE;
  constexpr uint32_t kGzip = 1U << GRPC_COMPRESS_GZIP;
  std::atomic<uint32_t> accepted{0};
  FakeUpstream upstream([&](UpstreamCall& call) {
    accepted = grpc_call_test_only_get_encodings_accepted_by_peer(call.context().c_call());
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  const auto accepted_for = [&](const Fields& fields) {
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    raw.SendRequest(1, kMethod, fields);
    raw.Send(kData, kEndStream, 1, Framed("x"));
    EXPECT_TRUE(raw.ReadUntilEnd(1).has_value());
    return accepted.exchange(0);
  };
  EXPECT_EQ(accepted_for({}), kIdentity);
  EXPECT_EQ(accepted_for({{"grpc-accept-encoding", "identity"}}), kIdentity);
  EXPECT_EQ(accepted_for({{"grpc-accept-encoding", "identity,gzip"}}), kIdentity | kGzip);
  EXPECT_EQ(accepted_for({{"grpc-accept-encoding", "gzip, zstd"}}), kIdentity | kGzip);
}

// Reads one RPC by hand: what came as headers, and the messages' bytes.
struct RawRpc {
  Fields headers;
  std::string data;
};

RawRpc ReadRpc(RawHttp2& peer) {
  RawRpc rpc;
  while (std::optional<Frame> frame = peer.Read()) {
    if (frame->stream == 0) continue;
    if (frame->type == kHeaders && rpc.headers.empty()) rpc.headers = frame->fields;
    if (frame->type == kData) rpc.data += frame->payload;
    if (frame->ends_stream()) break;
  }
  return rpc;
}

// To the proxy these are bytes: it must neither look into them nor need to know the name. Messages
// with and without the flag may alternate.
TEST_P(CompressionTest, AlgorithmsThatNobodyKnowsPassBothWays) {
  const std::string names[] = {"zstd", "x-of-our-own", "gzip", "deflate"};
  const std::string data = Flagged("not really compressed") + Framed("plain") + Flagged("more");
  RawListener listener;
  ProxyHarness proxy(GetParam(), listener.address());
  std::thread upstream([&] {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    uint32_t stream = 1;
    for (const std::string& name : names) {
      const RawRpc rpc = ReadRpc(peer);
      EXPECT_THAT(rpc.headers, ::testing::Contains(::testing::Pair("grpc-encoding", name)));
      EXPECT_EQ(rpc.data, data);
      peer.Send(
          kHeaders, kEndHeaders, stream,
          Literals(
              {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-encoding", name}}));
      peer.Send(kData, 0, stream, data);
      peer.Send(kHeaders, kEndHeaders | kEndStream, stream, Literals({{"grpc-status", "0"}}));
      stream += 2;
    }
    while (peer.Read()) {
    }
  });
  {
    uint32_t stream = 1;
    RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
    for (const std::string& name : names) {
      raw.SendRequest(stream, kMethod, {{"grpc-encoding", name}});
      raw.Send(kData, kEndStream, stream, data);
      const RawRpc rpc = ReadRpc(raw);
      EXPECT_THAT(rpc.headers, ::testing::Contains(::testing::Pair("grpc-encoding", name)));
      EXPECT_EQ(rpc.data, data);
      stream += 2;
    }
  }
  proxy.Stop();
  upstream.join();
}

// Nobody should send this, and whoever receives it should be the one to say so.
TEST_P(CompressionTest, TheFlagPassesEvenWithoutAnAlgorithm) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_EQ(call.Read(), "x");
    const uint32_t flags = grpc_call_test_only_get_message_flags(call.context().c_call());
    EXPECT_NE(flags & 0x80000000U, 0u);
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  RawHttp2 raw = RawHttp2::Dial(proxy.app().listener().ports().front());
  raw.SendRequest(1, kMethod, {});
  raw.Send(kData, kEndStream, 1, Flagged("x"));
  EXPECT_TRUE(raw.ReadUntilEnd(1).has_value());
  EXPECT_EQ(upstream.calls(), 1);
}

}  // namespace
}  // namespace lanekeeper::testing
