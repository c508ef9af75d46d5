// Compressed messages cross compressed, with the algorithm named as the sender named it.
#include <gmock/gmock.h>

#include "proxy/rpc/core_symbols.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

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

}  // namespace
}  // namespace lanekeeper::testing
