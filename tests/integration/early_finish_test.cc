// The upstream's status ends the RPC, whatever the downstream still sends.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class EarlyFinishTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(EarlyFinishTest);

TEST_P(EarlyFinishTest, StatusComesWhileTheDownstreamStillWrites) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Read();
    call.Write("enough");
    call.Finish({grpc::StatusCode::FAILED_PRECONDITION, "enough"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 20; ++i) {
    DownstreamCall call(proxy.channel());
    call.Start();
    while (call.Write(std::string(10000, 'x'))) {
    }
    EXPECT_EQ(call.Read(), "enough");
    const grpc::Status status = call.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(), "enough");
  }
}

TEST_P(EarlyFinishTest, StatusComesWhileTheDownstreamIsSilent) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::PERMISSION_DENIED, "not you"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  const grpc::Status status = call.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
}

TEST_P(EarlyFinishTest, StatusComesWhileRequestsAreStuckInFlowControl) {
  FakeUpstream upstream([](UpstreamCall& call) {
    // Reads nothing.
    call.SendHeaders();
    call.Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "full"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  while (call.Write(std::string(100000, 'x'))) {
  }
  EXPECT_EQ(call.Finish().error_message(), "full");
}

TEST_P(EarlyFinishTest, ResponsesBeforeAnEarlyStatusAllArrive) {
  FakeUpstream upstream([](UpstreamCall& call) {
    for (int i = 0; i < 100; ++i) call.Write(std::string(1000, static_cast<char>('a' + i % 26)));
    call.Finish({grpc::StatusCode::ABORTED, "done"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  int received = 0;
  while (call.Read()) ++received;
  EXPECT_EQ(received, 100);
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::ABORTED);
}

}  // namespace
}  // namespace lanekeeper::testing
