// Response headers go downstream as they come: never held back for a message, never invented.
#include <gmock/gmock.h>

#include "tests/support/core_symbols.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;

class HeadersTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(HeadersTest);

TEST_P(HeadersTest, HeadersReachTheDownstreamWhileTheUpstreamStaysSilent) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.SendHeaders({{"x-early", "yes"}});
    call.AwaitCancelled();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  ASSERT_TRUE(call.AwaitHeaders());
  EXPECT_THAT(call.Header("x-early"), ElementsAre("yes"));
}

TEST_P(HeadersTest, EmptyHeadersReachTheDownstreamWhileTheUpstreamStaysSilent) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.SendHeaders();
    call.AwaitCancelled();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.AwaitHeaders());
}

TEST_P(HeadersTest, RequestHeadersReachTheUpstreamBeforeAnyRequest) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write("server speaks first");
    Echo(call);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_EQ(call.Read(), "server speaks first");
  EXPECT_TRUE(call.Write("then we"));
  EXPECT_EQ(call.Read(), "then we");
  EXPECT_TRUE(call.End().ok());
}

// What a retry policy looks at: an answer of trailers only may be retried, one with headers may
// not.
TEST_P(HeadersTest, TrailersOnlyStaysTrailersOnly) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Finish({grpc::StatusCode::NOT_FOUND, "no such thing"}, {{"x-trailer", "t"}});
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (int i = 0; i < 50; ++i) {
    DownstreamCall call(proxy.channel());
    call.Start();
    ASSERT_TRUE(call.AwaitHeaders());
    EXPECT_TRUE(grpc_call_is_trailers_only(call.context().c_call()));
    EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_THAT(call.Trailer("x-trailer"), ElementsAre("t"));
  }
}

TEST_P(HeadersTest, HeadersAndStatusWithoutAMessageStaySeparate) {
  for (const MetadataPairs& headers : {MetadataPairs{}, MetadataPairs{{"x-h", "v"}}}) {
    FakeUpstream upstream([&](UpstreamCall& call) {
      call.SendHeaders(headers);
      call.Finish({grpc::StatusCode::ABORTED, "late"});
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    for (int i = 0; i < 50; ++i) {
      DownstreamCall call(proxy.channel());
      call.Start();
      ASSERT_TRUE(call.AwaitHeaders());
      EXPECT_FALSE(grpc_call_is_trailers_only(call.context().c_call()));
      EXPECT_EQ(call.Header("x-h").size(), headers.size());
      EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::ABORTED);
    }
  }
}

TEST_P(HeadersTest, AnUnreachableUpstreamIsAnsweredWithTrailersOnly) {
  std::string closed_port;
  {
    FakeUpstream gone(Echo);
    closed_port = gone.address();
  }
  ProxyHarness proxy(GetParam(), closed_port);
  for (int i = 0; i < 20; ++i) {
    DownstreamCall call(proxy.channel());
    call.Start();
    call.AwaitHeaders();
    EXPECT_TRUE(grpc_call_is_trailers_only(call.context().c_call()));
    EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

}  // namespace
}  // namespace lanekeeper::testing
