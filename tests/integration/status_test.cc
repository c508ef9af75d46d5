// The upstream's status is the downstream's: code, message and details as they were, once.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;

class StatusTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(StatusTest);

TEST_P(StatusTest, EveryCodePassesWithItsMessage) {
  FakeUpstream upstream([](UpstreamCall& call) {
    const int code = std::stoi(call.Metadata("x-code").front());
    call.Read();
    if (code % 2 == 0) call.Write("a response before the status");
    call.Finish({static_cast<grpc::StatusCode>(code), "message of " + std::to_string(code)});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int code = 1; code <= 16; ++code) {
    DownstreamCall call(proxy.channel());
    call.AddMetadata("x-code", std::to_string(code));
    call.Start();
    const grpc::Status status = call.End();
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), "message of " + std::to_string(code));
  }
  EXPECT_TRUE(
      proxy.AwaitMetric("lanekeeper_streams_terminated_total", {{"cause", "upstream_status"}}, 16));
  EXPECT_EQ(proxy.Metric("grpc_server_handled_total", {{"grpc_code", "NotFound"}}), 1);
}

TEST_P(StatusTest, AMessageOfAnyUnicodeTextPasses) {
  const std::string text =
      "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n%20%";
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::UNKNOWN, text});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.End().error_message(), text);
}

TEST_P(StatusTest, DetailsPassOnceAndExactly) {
  const std::string details("\x08\x05\x00\xff details", 12);
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::FAILED_PRECONDITION, "why", details});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.End().error_details(), details);
  EXPECT_THAT(call.Trailer("grpc-status-details-bin"), ElementsAre(details));
}

TEST_P(StatusTest, DetailsOf8KiBPass) {
  const std::string details(8 * 1024 - 200, 'd');
  FakeUpstream upstream([&](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::INTERNAL, "big", details});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.End().error_details(), details);
}

}  // namespace
}  // namespace lanekeeper::testing
