#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <set>
#include <sstream>

#include "config/load.h"
#include "proxy/admin/admin_calls.h"
#include "proxy/version.h"
#include "tests/unit/admin/fake_control.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::FakeControl;
using lanekeeper::testing::SomeStream;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kWho[] = "ipv4:127.0.0.1:5";

class AdminCallsTest : public ::testing::Test {
 protected:
  // The log goes here.
  AdminCallsTest() : logger_before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_, true)));
  }
  ~AdminCallsTest() override { spdlog::set_default_logger(logger_before_); }

  adminpb::ListStreamsResponse List(uint32_t size, const std::string& token = "") {
    adminpb::ListStreamsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    adminpb::ListStreamsResponse response;
    EXPECT_TRUE(calls_.ListStreams(request, &response).ok());
    return response;
  }

  grpc::Status Cancel(StreamId id, const std::string& reason) {
    adminpb::CancelStreamRequest request;
    request.set_id(id);
    request.set_reason(reason);
    adminpb::CancelStreamResponse response;
    return calls_.CancelStream(request, kWho, &response);
  }

  grpc::Status SetLogLevel(const std::string& level) {
    adminpb::SetLogLevelRequest request;
    request.set_level(level);
    log_level_ = {};
    return calls_.SetLogLevel(request, kWho, &log_level_);
  }

  const std::shared_ptr<spdlog::logger> logger_before_;
  std::ostringstream log_;
  FakeControl control_;
  AdminCalls calls_{control_};
  adminpb::SetLogLevelResponse log_level_;
};

TEST_F(AdminCallsTest, PagesShowEveryStreamOnceAndInOrder) {
  control_.AddMany(10'000);
  StreamId last = 0;
  size_t count = 0;
  std::string token;
  do {
    const auto page = List(999, token);
    EXPECT_LE(page.streams_size(), 999);
    EXPECT_EQ(page.totals().streams_matching(), 10'000u);
    for (const auto& stream : page.streams()) {
      EXPECT_GT(stream.id(), last);
      last = stream.id();
      ++count;
    }
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(count, 10'000u);
}

TEST_F(AdminCallsTest, APageHas100StreamsUnlessAskedAnd10000AtMost) {
  control_.AddMany(10'001);
  EXPECT_EQ(List(0).streams_size(), 100);
  EXPECT_EQ(List(0).next_page_token(), "100");
  EXPECT_EQ(List(4'000'000'000).streams_size(), 10'000);
  EXPECT_EQ(List(4'000'000'000).next_page_token(), "10000");
}

TEST_F(AdminCallsTest, ThePageThatHoldsTheLastStreamIsTheLast) {
  control_.AddMany(3);
  EXPECT_EQ(List(3).next_page_token(), "");
  EXPECT_EQ(List(2, "1").next_page_token(), "");
  EXPECT_EQ(List(2, "3").streams_size(), 0);
}

TEST_F(AdminCallsTest, APageStaysBelowWhatClientsTakeAndTheNextGoesOn) {
  for (StreamId id = 1; id <= 1000; ++id) {
    StreamSnapshot stream = SomeStream(id);
    stream.method = "/" + std::string(10'000, 'm');
    control_.Add(stream);
  }
  const auto page = List(1000);
  EXPECT_LT(page.ByteSizeLong(), 4u * 1024 * 1024);
  EXPECT_LT(page.streams_size(), 1000);
  EXPECT_EQ(List(1, page.next_page_token()).streams(0).id(),
            page.streams(page.streams_size() - 1).id() + 1);
}

TEST_F(AdminCallsTest, ATokenThatWeDidNotGiveIsRefused) {
  adminpb::ListStreamsResponse response;
  for (const char* token : {"x", "-1", "1x", " 1", "99999999999999999999", "0x1"}) {
    adminpb::ListStreamsRequest request;
    request.set_page_token(token);
    const grpc::Status status = calls_.ListStreams(request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << token;
    EXPECT_THAT(status.error_message(), HasSubstr("expected the next_page_token")) << token;
  }
}

TEST_F(AdminCallsTest, ACancelIsLoggedWithWhoAndWhatAndWhy) {
  control_.Add(SomeStream(4));
  EXPECT_TRUE(Cancel(4, "deploy").ok());
  EXPECT_EQ(control_.cancel_reason(), "deploy");
  EXPECT_THAT(log_.str(), HasSubstr("admin: ipv4:127.0.0.1:5 cancelled stream 4 (/demo.Echo/Chat "
                                    "from ipv4:127.0.0.1:34567), reason: deploy"));
  EXPECT_EQ(Cancel(4, "").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(AdminCallsTest, AReasonMustFitOneShortLine) {
  control_.Add(SomeStream(4));
  for (const std::string& reason : {std::string(201, 'x'), std::string("a\nb"), std::string("\x7f"),
                                    std::string("\xc2\x85"), std::string(1, '\0')}) {
    EXPECT_EQ(Cancel(4, reason).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << reason;
  }
  EXPECT_TRUE(control_.FindStream(4).has_value());
  EXPECT_TRUE(Cancel(4, "f\xc3\xbcr heute genug: " + std::string(180, 'x')).ok());
}

TEST_F(AdminCallsTest, ALogLevelIsInForceUntilTheNext) {
  spdlog::set_level(spdlog::level::info);
  ASSERT_TRUE(SetLogLevel("error").ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::err);
  EXPECT_EQ(log_level_.previous(), "info");
  EXPECT_EQ(log_level_.level(), "error");
  ASSERT_TRUE(SetLogLevel("trace").ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::trace);
  EXPECT_EQ(log_level_.previous(), "error");
}

TEST_F(AdminCallsTest, AChangeOfTheLogLevelIsLoggedBothWays) {
  spdlog::set_level(spdlog::level::info);
  ASSERT_TRUE(SetLogLevel("error").ok());
  EXPECT_THAT(log_.str(), HasSubstr("changed log.level from info to error"));
  ASSERT_TRUE(SetLogLevel("debug").ok());
  EXPECT_THAT(log_.str(), HasSubstr("changed log.level from error to debug"));
}

TEST_F(AdminCallsTest, AnUnknownLogLevelChangesNothing) {
  spdlog::set_level(spdlog::level::warn);
  for (const char* level : {"", "loud", "INFO", "off"}) {
    const grpc::Status status = SetLogLevel(level);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << level;
    EXPECT_THAT(status.error_message(), HasSubstr("expected trace, debug, info, warn or error"));
  }
  EXPECT_EQ(spdlog::get_level(), spdlog::level::warn);
}

TEST_F(AdminCallsTest, AReloadTellsWhatItCameTo) {
  control_.ReloadTo(
      ReloadOutcome{ReloadResult::kApplied,
                    {},
                    {{"limits.open_rpcs", "1", "2", ChangeEffect::kNewRpcs},
                     {"listen[a:1].address", std::nullopt, "a:1", ChangeEffect::kNewConnections}}});
  adminpb::ReloadResponse response;
  ASSERT_TRUE(calls_.Reload({}, kWho, &response).ok());
  EXPECT_THAT(control_.reloads(), ElementsAre(kWho));
  EXPECT_EQ(response.result(), adminpb::ReloadResponse::APPLIED);
  ASSERT_EQ(response.changes_size(), 2);
  EXPECT_EQ(response.changes(0).key(), "limits.open_rpcs");
  EXPECT_EQ(response.changes(0).before(), "1");
  EXPECT_EQ(response.changes(0).after(), "2");
  EXPECT_EQ(response.changes(0).effect(), adminpb::ConfigChange::NEW_RPCS);
  EXPECT_FALSE(response.changes(1).has_before());
  EXPECT_EQ(response.changes(1).effect(), adminpb::ConfigChange::NEW_CONNECTIONS);
}

TEST_F(AdminCallsTest, ADryRunOnlyLooks) {
  control_.ReloadTo(ReloadOutcome{ReloadResult::kRefused, {"x.yaml:1:2: no \xff"}, {}});
  adminpb::ReloadRequest request;
  request.set_dry_run(true);
  request.set_yaml("a: b");
  request.set_name("x.yaml");
  adminpb::ReloadResponse response;
  ASSERT_TRUE(calls_.Reload(request, kWho, &response).ok());
  EXPECT_THAT(control_.reloads(), ElementsAre("preview", "x.yaml: a: b"));
  EXPECT_EQ(response.result(), adminpb::ReloadResponse::REFUSED);
  EXPECT_THAT(response.problems(), ElementsAre("x.yaml:1:2: no \\xff"));
}

TEST_F(AdminCallsTest, ATextIsForDryRunsAndHasAShortName) {
  adminpb::ReloadRequest request;
  request.set_yaml("a: b");
  adminpb::ReloadResponse response;
  EXPECT_EQ(calls_.Reload(request, kWho, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  request.set_dry_run(true);
  for (const std::string& name : {std::string(1025, 'x'), std::string("a\nb")}) {
    request.set_name(name);
    EXPECT_EQ(calls_.Reload(request, kWho, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_THAT(control_.reloads(), ElementsAre());
}

TEST_F(AdminCallsTest, WhereNothingCanBeReadAgainAReloadIsRefused) {
  adminpb::ReloadResponse response;
  EXPECT_EQ(calls_.Reload({}, kWho, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(AdminCallsTest, WhereItIsReadOnlyEveryChangeIsDenied) {
  control_.Add(SomeStream(4));
  control_.ReloadTo(ReloadOutcome{});
  control_.BeReadOnly();
  const auto level = spdlog::get_level();
  adminpb::DrainResponse drained;
  adminpb::ReloadResponse reloaded;
  for (const grpc::Status& status : {Cancel(4, ""), calls_.Drain(kWho, &drained),
                                     SetLogLevel("trace"), calls_.Reload({}, kWho, &reloaded)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr("admin.read_only is true"));
  }
  EXPECT_TRUE(control_.FindStream(4).has_value());
  EXPECT_EQ(control_.drains(), 0);
  EXPECT_EQ(spdlog::get_level(), level);
  EXPECT_THAT(control_.reloads(), ElementsAre());
}

TEST_F(AdminCallsTest, WhereItIsReadOnlyADryRunAndLooksAreNotDenied) {
  control_.Add(SomeStream(4));
  control_.ReloadTo(ReloadOutcome{});
  control_.BeReadOnly();
  adminpb::ReloadRequest request;
  request.set_dry_run(true);
  adminpb::ReloadResponse reloaded;
  EXPECT_TRUE(calls_.Reload(request, kWho, &reloaded).ok());
  EXPECT_EQ(List(1).streams_size(), 1);
}

TEST_F(AdminCallsTest, ADrainSaysHowMuchItWaitsForAndHowLong) {
  control_.AddMany(3);
  adminpb::DrainResponse response;
  ASSERT_TRUE(calls_.Drain(kWho, &response).ok());
  EXPECT_EQ(control_.drains(), 1);
  EXPECT_EQ(response.streams_open(), 3u);
  EXPECT_EQ(response.timeout().seconds(), 25);
  EXPECT_THAT(log_.str(), HasSubstr("admin: ipv4:127.0.0.1:5 asked for a drain, 3 streams open"));
}

TEST_F(AdminCallsTest, ADrainThatNobodyListensToIsRefused) {
  control_.RefuseDrain();
  adminpb::DrainResponse response;
  EXPECT_EQ(calls_.Drain(kWho, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(AdminCallsTest, TheConfigurationIsAsPrintConfigPrintsIt) {
  adminpb::GetConfigResponse response;
  ASSERT_TRUE(calls_.GetConfig(&response).ok());
  EXPECT_EQ(response.yaml(), PrintConfig(control_.config()));
  EXPECT_THAT(response.yaml(), HasSubstr("upstream.example:443"));
}

TEST_F(AdminCallsTest, TheVersionIsThatOfTheBuild) {
  adminpb::GetVersionResponse response;
  ASSERT_TRUE(calls_.GetVersion(&response).ok());
  EXPECT_EQ(response.version(), kVersion);
  EXPECT_EQ(response.revision(), kRevision);
  EXPECT_EQ(response.grpc_version(), grpc::Version());
  EXPECT_EQ(response.started().seconds(), 1'600'000'000);
}

}  // namespace
}  // namespace lanekeeper
