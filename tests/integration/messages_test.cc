// Messages of every size and all four RPC kinds cross unchanged.
#include <gmock/gmock.h>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

class MessagesTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(MessagesTest);

std::string Pattern(size_t bytes) {
  std::string text(bytes, '\0');
  uint32_t state = static_cast<uint32_t>(bytes) + 1;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

TEST_P(MessagesTest, UnaryOfEverySizeIsEchoed) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  for (size_t bytes :
       {0u, 1u, 100u, 16383u, 16384u, 65535u, 65536u, 1000000u, 5000000u, 20000000u}) {
    const std::string message = Pattern(bytes);
    const UnaryResult result = Unary(proxy.channel(), message);
    ASSERT_TRUE(result.status.ok()) << bytes << ": " << result.status.error_message();
    ASSERT_EQ(result.response.size(), bytes);
    ASSERT_TRUE(result.response == message) << "bytes changed in a message of " << bytes;
  }
}

TEST_P(MessagesTest, AnEmptyMessageIsNotTheEndOfTheStream) {
  FakeUpstream upstream([](UpstreamCall& call) {
    int count = 0;
    while (call.Read()) ++count;
    call.Write(std::to_string(count));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(call.Write(""));
  ASSERT_TRUE(call.WritesDone());
  EXPECT_EQ(call.Read(), "3");
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(MessagesTest, ServerStreamKeepsOrderAndCount) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Read();
    for (int i = 0; i < 1000; ++i) call.Write(std::to_string(i));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  call.Write("go");
  call.WritesDone();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(call.Read(), std::to_string(i));
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(MessagesTest, ClientStreamKeepsOrderAndCount) {
  FakeUpstream upstream([](UpstreamCall& call) {
    int next = 0;
    while (std::optional<std::string> request = call.Read()) {
      if (*request != std::to_string(next)) break;
      ++next;
    }
    call.Write(std::to_string(next));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(call.Write(std::to_string(i)));
  call.WritesDone();
  EXPECT_EQ(call.Read(), "1000");
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(MessagesTest, PingPongAlternatesStrictly) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(call.Write(std::to_string(i)));
    ASSERT_EQ(call.Read(), std::to_string(i));
  }
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(proxy.Metric("lanekeeper_stream_messages_total", {{"direction", "to_upstream"}}), 500);
}

TEST_P(MessagesTest, AStreamWithoutMessagesEndsWithItsStatus) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(call.WritesDone());
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.Finish().ok());
}

TEST_P(MessagesTest, MethodAndAuthorityReachTheUpstreamAsTheyWere) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write(call.method() + " " + call.authority());
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel(), "/a.b.C/Unknown-Method_1");
  call.context().set_authority("orders.shop.svc:50051");
  call.Start();
  EXPECT_EQ(call.Read(), "/a.b.C/Unknown-Method_1 orders.shop.svc:50051");
}

TEST_P(MessagesTest, AConfiguredAuthorityReplacesTheDownstreams) {
  FakeUpstream upstream([](UpstreamCall& call) {
    call.Write(call.authority());
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [](Config& config) { config.upstream.authority = "fixed.example"; });
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "fixed.example");
}

}  // namespace
}  // namespace lanekeeper::testing
