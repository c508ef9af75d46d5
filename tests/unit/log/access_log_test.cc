#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "log_testing.h"
#include "proxy/grpc/status.h"
#include "proxy/log/stream_log.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;

int Code(StatusCode code) { return static_cast<int>(code); }

EndedRpc Ended(int code, TerminationCause cause) {
  EndedRpc rpc{.code = code, .cause = cause, .start_wait = 84us};
  StreamSnapshot& stream = rpc.stream;
  stream.id = 17;
  stream.method = "/shop.Orders/Watch";
  stream.downstream_peer = "ipv4:127.0.0.1:34567";
  stream.age = 1'234'567us;
  stream.to_upstream.messages = 1;
  stream.to_upstream.bytes = 120;
  stream.to_upstream.sender_wait = 310us;
  stream.to_upstream.receiver_wait = 40us;
  stream.to_downstream.messages = 41;
  stream.to_downstream.bytes = 65'536;
  stream.to_downstream.sender_wait = 1200ms;
  stream.to_downstream.receiver_wait = 7500us;
  return rpc;
}

constexpr const char* kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(AccessLog, TextLine) {
  const KeptLog log(LogFormat::kText);
  EndedRpc rpc = Ended(Code(StatusCode::kUnavailable), TerminationCause::kUpstreamLost);
  rpc.traceparent = kTraceparent;
  AccessLog(LogAccess::kErrors).Write(rpc);
  EXPECT_EQ(log.LastText(),
            "warn RPC ended id=17 method=/shop.Orders/Watch peer=ipv4:127.0.0.1:34567 "
            "code=Unavailable cause=upstream_lost duration_ms=1234.567 start_wait_ms=0.084 "
            "attempts=1 thread_kind=user to_upstream_messages=1 to_upstream_bytes=120 "
            "to_upstream_sender_wait_ms=0.31 to_upstream_receiver_wait_ms=0.04 "
            "to_downstream_messages=41 to_downstream_bytes=65536 "
            "to_downstream_sender_wait_ms=1200 to_downstream_receiver_wait_ms=7.5 "
            "trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331\n");
}

TEST(AccessLog, JsonLine) {
  const KeptLog log(LogFormat::kJson);
  EndedRpc rpc = Ended(Code(StatusCode::kOk), TerminationCause::kUpstreamStatus);
  rpc.stream.thread_kind = RpcThreadKind::kKernel;
  rpc.traceparent = kTraceparent;
  AccessLog(LogAccess::kAll).Write(rpc);
  auto line = nlohmann::json::parse(log.lines().back());
  line.erase("time");
  EXPECT_EQ(line, nlohmann::json::parse(R"({
    "level": "info", "message": "RPC ended", "id": 17, "method": "/shop.Orders/Watch",
    "peer": "ipv4:127.0.0.1:34567", "code": "OK", "cause": "upstream_status",
    "duration_ms": 1234.567, "start_wait_ms": 0.084, "attempts": 1, "thread_kind": "kernel",
    "to_upstream_messages": 1, "to_upstream_bytes": 120,
    "to_upstream_sender_wait_ms": 0.31, "to_upstream_receiver_wait_ms": 0.04,
    "to_downstream_messages": 41, "to_downstream_bytes": 65536,
    "to_downstream_sender_wait_ms": 1200, "to_downstream_receiver_wait_ms": 7.5,
    "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"})"));
}

TEST(AccessLog, HasNoTraceWhereTheHeaderIsNotValid) {
  const KeptLog log(LogFormat::kText);
  EndedRpc rpc = Ended(Code(StatusCode::kOk), TerminationCause::kUpstreamStatus);
  for (const char* header : {"", "00-zz", "x\" trace_id=1"}) {
    rpc.traceparent = header;
    AccessLog(LogAccess::kAll).Write(rpc);
    EXPECT_THAT(log.LastText(), testing::Not(testing::HasSubstr("trace_id")));
  }
}

TEST(AccessLog, WarnsOfErrorsButNotOfWhatTheClientCancelled) {
  const KeptLog log(LogFormat::kText);
  const AccessLog access(LogAccess::kAll);
  access.Write(Ended(Code(StatusCode::kOk), TerminationCause::kUpstreamStatus));
  EXPECT_THAT(log.LastText(), testing::StartsWith("info RPC ended "));
  access.Write(Ended(Code(StatusCode::kCancelled), TerminationCause::kClientCancel));
  EXPECT_THAT(log.LastText(), testing::StartsWith("info RPC ended "));
  access.Write(Ended(Code(StatusCode::kCancelled), TerminationCause::kUpstreamStatus));
  EXPECT_THAT(log.LastText(), testing::StartsWith("warn RPC ended "));
  access.Write(Ended(Code(StatusCode::kDeadlineExceeded), TerminationCause::kDeadline));
  EXPECT_THAT(log.LastText(), testing::StartsWith("warn RPC ended "));
}

TEST(AccessLog, WantsWhatTheConfigurationAsksFor) {
  const KeptLog log(LogFormat::kText, spdlog::level::info);
  EXPECT_FALSE(AccessLog(LogAccess::kOff).wants(Code(StatusCode::kOk)));
  EXPECT_FALSE(AccessLog(LogAccess::kOff).wants(Code(StatusCode::kInternal)));
  EXPECT_FALSE(AccessLog(LogAccess::kErrors).wants(Code(StatusCode::kOk)));
  EXPECT_TRUE(AccessLog(LogAccess::kErrors).wants(Code(StatusCode::kCancelled)));
  EXPECT_TRUE(AccessLog(LogAccess::kErrors).wants(Code(StatusCode::kInternal)));
  EXPECT_TRUE(AccessLog(LogAccess::kErrors).wants(99));
  EXPECT_TRUE(AccessLog(LogAccess::kAll).wants(Code(StatusCode::kOk)));
  EXPECT_TRUE(AccessLog(LogAccess::kAll).wants(Code(StatusCode::kNotFound)));
}

TEST(AccessLog, WantsNothingThatTheLevelHides) {
  const KeptLog log(LogFormat::kText, spdlog::level::warn);
  EXPECT_FALSE(AccessLog(LogAccess::kAll).wants(Code(StatusCode::kOk)));
  EXPECT_TRUE(AccessLog(LogAccess::kAll).wants(Code(StatusCode::kInternal)));
  spdlog::set_level(spdlog::level::err);
  EXPECT_FALSE(AccessLog(LogAccess::kAll).wants(Code(StatusCode::kInternal)));
}

TEST(AccessLog, CutsLongMethodsAndEscapesStrangeOnes) {
  const KeptLog log(LogFormat::kText);
  EndedRpc rpc = Ended(99, TerminationCause::kUpstreamStatus);
  rpc.stream.method = "/" + std::string(10'000, 'x');
  AccessLog(LogAccess::kAll).Write(rpc);
  EXPECT_THAT(log.LastText(), testing::HasSubstr(" method=/" + std::string(255, 'x') + " peer="));
  EXPECT_THAT(log.LastText(), testing::HasSubstr(" code=other "));
  rpc.stream.method = "/a\nwarn forged \"x\" id=1";
  AccessLog(LogAccess::kAll).Write(rpc);
  EXPECT_THAT(log.LastText(), testing::HasSubstr(R"( method="/a\nwarn forged \"x\" id=1" peer=)"));
}

}  // namespace
}  // namespace lanekeeper
