// An RPC that the upstream has certainly not processed is started again on another connection, with
// all that was sent; one that it may have processed never is.
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"
#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {
namespace {

class TransparentRetryTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(TransparentRetryTest);

constexpr uint32_t kNoError = 0;
constexpr uint32_t kInternalError = 2;
constexpr uint32_t kRefusedStream = 7;

std::string Number(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

void SendGoAway(const RawHttp2& peer, uint32_t last_stream) {
  peer.Send(kGoAway, 0, 0, Number(last_stream) + Number(kNoError));
}

void Answer(const RawHttp2& peer, uint32_t stream, const std::string& message) {
  peer.Send(kHeaders, kEndHeaders, stream,
            Literals({{":status", "200"}, {"content-type", "application/grpc"}}));
  peer.Send(kData, 0, stream, Framed(message));
  peer.Send(kHeaders, kEndHeaders | kEndStream, stream, Literals({{"grpc-status", "0"}}));
}

TEST_P(TransparentRetryTest, WhatTheUpstreamHadNotSeenAtItsGoawayIsSentAgain) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawHttp2 old = RawHttp2::Accepted(listener.Accept());
    ReadStream(old, 1, Framed("seen").size());
    ReadStream(old, 3, Framed("not seen").size());
    SendGoAway(old, 1);
    RawHttp2 fresh = RawHttp2::Accepted(listener.Accept());
    EXPECT_EQ(ReadStream(fresh, 1, Framed("not seen").size()).data, Framed("not seen"));
    Answer(fresh, 1, "from the new connection");
    Answer(old, 1, "from the old connection");
    ReadUntilClosed(std::move(fresh));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall seen(proxy.channel());
  seen.Start();
  ASSERT_TRUE(seen.Write("seen"));
  ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_messages_total", {}, 1));
  const UnaryResult again = Unary(proxy.channel(), "not seen");
  EXPECT_EQ(again.response, "from the new connection") << again.status.error_message();
  EXPECT_EQ(seen.Read(), "from the old connection");
  EXPECT_TRUE(seen.End().ok());
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_stream_messages_total", {{"direction", "to_upstream"}}), 2);
}

TEST_P(TransparentRetryTest, AnOpenStreamGoesOnWhereItWas) {
  const std::string before = Framed("one") + Framed("two") + Framed("");
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawHttp2 old = RawHttp2::Accepted(listener.Accept());
    ReadStream(old, 1, before.size());
    SendGoAway(old, 0);
    RawHttp2 fresh = RawHttp2::Accepted(listener.Accept());
    EXPECT_EQ(ReadStream(fresh, 1, before.size()).data, before);
    fresh.Send(kHeaders, kEndHeaders, 1,
               Literals({{":status", "200"}, {"content-type", "application/grpc"}}));
    fresh.Send(kData, 0, 1, Framed("go on"));
    std::string after;
    while (std::optional<Frame> frame = fresh.Read()) {
      if (frame->type == kData) after += frame->payload;
      if (frame->ends_stream()) break;
    }
    EXPECT_EQ(after, Framed("four"));
    fresh.Send(kHeaders, kEndHeaders | kEndStream, 1, Literals({{"grpc-status", "0"}}));
    ReadUntilClosed(std::move(fresh));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall call(proxy.channel());
  call.Start();
  for (const char* message : {"one", "two", ""}) ASSERT_TRUE(call.Write(message));
  EXPECT_EQ(call.Read(), "go on");
  ASSERT_TRUE(call.Write("four"));
  EXPECT_TRUE(call.End().ok());
}

TEST_P(TransparentRetryTest, ARefusedStreamIsTriedOnceMore) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    for (const uint32_t refused : {1, 5, 7}) {
      EXPECT_TRUE(ReadStream(peer, refused, 1).headers);
      peer.Send(kRstStream, 0, refused, Number(kRefusedStream));
      if (refused == 1) {
        EXPECT_EQ(ReadStream(peer, 3, 1).data, Framed("once"));
        Answer(peer, 3, "taken");
      }
    }
    ReadUntilClosed(std::move(peer));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_EQ(Unary(proxy.channel(), "once").response, "taken");
  EXPECT_EQ(Unary(proxy.channel(), "twice").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 2);
}

TEST_P(TransparentRetryTest, WhatMayHaveBeenProcessedIsNeverSentAgain) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept());
    ReadStream(peer, 1, 1);
    peer.Send(kRstStream, 0, 1, Number(kInternalError));
    ReadStream(peer, 3, 1);  // a status that only looks like one of core's own
    peer.Send(kHeaders, kEndHeaders | kEndStream, 3,
              Literals({{":status", "200"},
                        {"content-type", "application/grpc"},
                        {"grpc-status", "14"},
                        {"grpc-message", "GOAWAY received"}}));
    ReadStream(peer, 5, 1);
    peer.Send(kHeaders, kEndHeaders, 5,
              Literals({{":status", "200"}, {"content-type", "application/grpc"}}));
    peer.Send(kRstStream, 0, 5, Number(kRefusedStream));  // too late to say so
    ReadStream(peer, 7, 1);
    { const RawHttp2 lost = std::move(peer); }
    RawHttp2 fresh = RawHttp2::Accepted(listener.Accept());
    ReadStream(fresh, 1, 1);
    Answer(fresh, 1, "last");
    ReadUntilClosed(std::move(fresh));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (const char* message : {"reset", "status", "headers, then reset", "lost"}) {
    EXPECT_FALSE(Unary(proxy.channel(), message).status.ok()) << message;
  }
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 0);
  EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "last").response == "last"; }));
}

TEST_P(TransparentRetryTest, WhatIsTooLongToKeepIsNotSentAgain) {
  ScriptedUpstream upstream([](const RawListener& listener) {
    // Windows of 1 MiB, so that more is sent than is kept.
    RawHttp2 peer = RawHttp2::Accepted(listener.Accept(), std::string("\0\4", 2) + Number(1 << 20));
    peer.Send(kWindowUpdate, 0, 0, Number(1 << 20));
    ReadStream(peer, 1, 300 * 1024);
    peer.Send(kRstStream, 0, 1, Number(kRefusedStream));
    ReadUntilClosed(std::move(peer));
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  EXPECT_EQ(Unary(proxy.channel(), std::string(300 * 1024, 'x')).status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_retries_total"), 0);
}

TEST_P(TransparentRetryTest, RpcsThatWaitForAStreamSurviveAGoaway) {
  std::promise<void> all_wait;
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawHttp2 old = RawHttp2::Accepted(listener.Accept());
    ReadStream(old, 1, 1);
    // In this order: who has seen the headers knows that only one stream is allowed.
    old.Send(kSettings, 0, 0, std::string("\0\3", 2) + Number(1));  // MAX_CONCURRENT_STREAMS
    old.Send(kHeaders, kEndHeaders, 1,
             Literals({{":status", "200"}, {"content-type", "application/grpc"}}));
    all_wait.get_future().wait();
    SendGoAway(old, 1);
    RawPeer fresh = RawPeer::Accept(listener);
    for (const uint32_t stream : {1, 3, 5}) {
      EXPECT_TRUE(fresh.AwaitOver(stream));
      fresh.Answer(stream, "served");
    }
    old.Send(kData, 0, 1, Framed("first"));
    old.Send(kHeaders, kEndHeaders | kEndStream, 1, Literals({{"grpc-status", "0"}}));
    fresh.AwaitClosed();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall first(proxy.channel());
  first.Start();
  ASSERT_TRUE(first.Write("first"));
  ASSERT_TRUE(first.AwaitHeaders());
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { EXPECT_EQ(Unary(proxy.channel(), "waits").response, "served"); });
  }
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_awaiting_upstream", {}, 3));
  all_wait.set_value();
  for (std::thread& one : waiting) one.join();
  EXPECT_EQ(first.Read(), "first");
  EXPECT_TRUE(first.End().ok());
}

// A real server that sends its connections away every 100 ms, as one behind a load balancer does.
TEST_P(TransparentRetryTest, AnUpstreamThatRenewsItsConnectionsLosesNoRpc) {
  FakeUpstream upstream(Echo, 0, [](grpc::ServerBuilder& builder) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 100);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall across_all(proxy.channel());
  across_all.Start();
  ASSERT_TRUE(across_all.Write("first"));
  ASSERT_EQ(across_all.Read(), "first");
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (upstream.connections() < 6) {
        const grpc::Status status = Unary(proxy.channel(), "x").status;
        ASSERT_TRUE(status.ok()) << status.error_message();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  ASSERT_TRUE(across_all.Write("last"));
  EXPECT_EQ(across_all.Read(), "last");
  EXPECT_TRUE(across_all.End().ok());
}

}  // namespace
}  // namespace lanekeeper::testing
