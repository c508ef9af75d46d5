// Either side may end its direction first; the other stays open.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class HalfCloseTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(HalfCloseTest);

TEST_P(HalfCloseTest, HalfCloseLeavesOtherDirectionOpen) {
  FakeUpstream upstream([](UpstreamCall& call) {
    while (call.Read()) {
    }
    for (int i = 0; i < 200; ++i) call.Write("after the half-close");
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  call.Write("only request");
  ASSERT_TRUE(call.WritesDone());
  for (int i = 0; i < 200; ++i) ASSERT_EQ(call.Read(), "after the half-close");
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(HalfCloseTest, HalfCloseWithoutAMessageReachesTheUpstream) {
  FakeUpstream upstream([](UpstreamCall& call) {
    EXPECT_EQ(call.Read(), std::nullopt);
    call.Write("saw it");
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.WritesDone());
  EXPECT_EQ(call.Read(), "saw it");
  EXPECT_TRUE(call.End().ok());
}

TEST_P(HalfCloseTest, ALateHalfCloseReachesTheUpstream) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write("hello");
    EXPECT_EQ(call.Read(), "request");
    call.Write("got it");
    EXPECT_EQ(call.Read(), std::nullopt);
    call.Finish({grpc::StatusCode::OUT_OF_RANGE, "read to the end"});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.Read(), "hello");
  ASSERT_TRUE(call.Write("request"));
  EXPECT_EQ(call.Read(), "got it");
  ASSERT_TRUE(call.WritesDone());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

}  // namespace
}  // namespace lanekeeper::testing
