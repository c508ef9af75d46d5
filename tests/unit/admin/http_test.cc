// The API as JSON over HTTP/1.1, as a client by hand sees it.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <httplib.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "proxy/admin/http_messages.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class HttpTest : public AnyAddress {
 protected:
  void SetUp() override { control_.AddMany(3); }

  // The ids that a query lists.
  std::vector<std::string> Ids(const std::string& query) {
    const HttpAnswer answer = Get("/streams?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::string> ids;
    const Json json = Json::parse(answer.body);
    for (const auto& stream : json.value("streams", Json::array())) ids.push_back(stream["id"]);
    return ids;
  }
};

TEST_P(HttpTest, TheJsonIsTheMessageThatGrpcGives) {
  control_.Change(2, [](StreamSnapshot& stream) {
    stream.stall = Stall{StallKind::kHalfClosed, Direction::kToDownstream, std::chrono::seconds(9)};
  });
  adminpb::ListStreamsResponse by_grpc;
  grpc::ClientContext context;
  ASSERT_TRUE(NewStub()->ListStreams(&context, {}, &by_grpc).ok());
  adminpb::ListStreamsResponse by_http;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(Get("/streams").body, &by_http).ok());
  EXPECT_EQ(by_http.DebugString(), by_grpc.DebugString());
  EXPECT_EQ(by_http.streams_size(), 3);
}

TEST_P(HttpTest, FieldsAreNamedAsInTheProtoAndZerosAreShown) {
  const Json stream = Json::parse(Get("/streams/1").body);
  EXPECT_EQ(stream["downstream_peer"], "ipv4:127.0.0.1:34567");
  EXPECT_EQ(stream["to_downstream"]["messages"], "0");
  EXPECT_EQ(stream["to_downstream"]["waiting_for"], "RECEIVER");
  EXPECT_EQ(stream["deadline_left"], "2.500s");
}

TEST_P(HttpTest, EachPartOfTheQueryFilters) {
  control_.Change(2, [](StreamSnapshot& stream) {
    stream.method = "/a.B/C d";
    stream.downstream_peer = "unix:";
    stream.age = std::chrono::hours(2);
    stream.to_upstream.state = LaneState::kWaiting;
    stream.stall = Stall{};
  });
  const std::vector<std::string> second{"2"};
  EXPECT_EQ(Ids("method=B/C%20d"), second);
  EXPECT_EQ(Ids("peer=unix"), second);
  EXPECT_EQ(Ids("min_age=1h30m"), second);
  EXPECT_EQ(Ids("state=waiting"), second);
  EXPECT_EQ(Ids("state=WAITING"), second);
  EXPECT_EQ(Ids("stuck=true&state=sending"), second);
  EXPECT_EQ(Ids("stuck=false").size(), 3u);
  EXPECT_EQ(Ids("min_age=250ms").size(), 3u);
}

TEST_P(HttpTest, PagesFollowOneAnother) {
  const Json first = Json::parse(Get("/streams?page_size=2").body);
  EXPECT_EQ(first["streams"].size(), 2u);
  const std::string token = first["next_page_token"];
  EXPECT_EQ(Ids("page_size=2&page_token=" + token), std::vector<std::string>{"3"});
}

TEST_P(HttpTest, AQueryThatMeansNothingSaysWhatWasExpected) {
  const std::map<std::string, std::string> wrong = {
      {"state=bored", "state: expected receiving, sending, waiting or half_closed, not 'bored'"},
      {"state=STATE_UNSPECIFIED", "state: expected"},
      {"min_age=10", "min_age: the unit is missing"},
      {"min_age=soon", "min_age: expected"},
      {"min_age=", "min_age: expected"},
      {"stuck=yes", "stuck: expected true or false, not 'yes'"},
      {"page_size=many", "page_size: expected"},
      {"page_size=-1", "page_size: expected"},
      {"page_token=x", "page_token: expected the next_page_token"},
      {"min-age=1s", "unknown parameter 'min-age'; expected one of method, min_age, page_size"},
      {"method=a&method=b", "method: given more than once"},
  };
  for (const auto& [query, message] : wrong) {
    const HttpAnswer answer = Get("/streams?" + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.error_code(), "INVALID_ARGUMENT") << query;
    EXPECT_THAT(answer.error_message(), HasSubstr(message)) << query;
  }
  EXPECT_EQ(Get("/version?verbose=1").status, 400);
}

TEST_P(HttpTest, OneStreamIsGivenByItsId) {
  EXPECT_EQ(Json::parse(Get("/streams/2").body)["id"], "2");
  EXPECT_EQ(Get("/streams/77").status, 404);
  EXPECT_EQ(Get("/streams/77").error_code(), "NOT_FOUND");
  for (const char* id : {"abc", "1x", "-1", "99999999999999999999"}) {
    const HttpAnswer answer = Get(std::string("/streams/") + id);
    EXPECT_EQ(answer.status, 400) << id;
    EXPECT_THAT(answer.error_message(), HasSubstr("expected the id of a stream")) << id;
  }
}

TEST_P(HttpTest, AStreamIsCancelledWithOrWithoutAReason) {
  const HttpAnswer answer = Post("/streams/2/cancel", R"({"reason":"deploy"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json::parse(answer.body)["stream"]["id"], "2");
  EXPECT_EQ(control_.cancel_reason(), "deploy");
  EXPECT_EQ(Post("/streams/3/cancel", "").status, 200);
  EXPECT_EQ(control_.cancel_reason(), "");
  EXPECT_EQ(Post("/streams/3/cancel", "{}").status, 404);
}

TEST_P(HttpTest, ABodyThatMeansNothingChangesNothing) {
  for (const char* body : {"{", "[]", "x", R"({"why":"typo"})", R"({"reason":7})", R"({"id":"5"})",
                           R"({"reason":"a\nb"})"}) {
    const HttpAnswer answer = Post("/streams/2/cancel", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.error_code(), "INVALID_ARGUMENT") << body;
  }
  EXPECT_THAT(Post("/streams/2/cancel", R"({"why":"typo"})").error_message(), HasSubstr("why"));
  EXPECT_THAT(Post("/streams/2/cancel", "{\n\x7f").error_message(),
              AllOf(HasSubstr("\\n"), Not(HasSubstr("\n")), Not(HasSubstr("\x7f"))));
  EXPECT_TRUE(control_.FindStream(2).has_value());
}

TEST_P(HttpTest, APostWithoutALengthHasNoBody) {
  EXPECT_EQ(Ask("POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\n\r\n")
                .status,
            200);
  EXPECT_EQ(control_.drains(), 1);
}

TEST_P(HttpTest, ADrainThatNobodyListensToIsRefused) {
  control_.RefuseDrain();
  const HttpAnswer answer = Post("/drain", "");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.error_code(), "FAILED_PRECONDITION");
}

TEST_P(HttpTest, TheLogLevelIsChanged) {
  const auto before = spdlog::get_level();
  const HttpAnswer answer = Post("/loglevel", R"({"level":"warn"})");
  EXPECT_EQ(spdlog::get_level(), spdlog::level::warn);
  spdlog::set_level(before);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json::parse(answer.body)["level"], "warn");
  EXPECT_EQ(Post("/loglevel", R"({"level":"loud"})").status, 400);
  EXPECT_EQ(Post("/loglevel", "").status, 400);
}

TEST_P(HttpTest, AReloadIsAnsweredWithItsChangesOrWith400AndItsProblems) {
  control_.ReloadTo(ReloadOutcome{
      ReloadResult::kApplied, {}, {{"stuck.after", "1s", "2s", ChangeEffect::kAtOnce}}});
  const HttpAnswer done = Post("/reload", "");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(Json::parse(done.body)["changes"][0]["effect"], "AT_ONCE");
  control_.ReloadTo(ReloadOutcome{ReloadResult::kRefused, {"x.yaml:1:2: no"}, {}});
  const HttpAnswer refused = Post("/reload", R"({"dry_run":true})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Json::parse(refused.body)["problems"][0], "x.yaml:1:2: no");
  EXPECT_EQ(Post("/reload", R"({"wet_run":true})").error_code(), "INVALID_ARGUMENT");
}

TEST_P(HttpTest, ConfigurationAndVersionAreTold) {
  EXPECT_THAT(Json::parse(Get("/config").body)["yaml"], HasSubstr("upstream.example:443"));
  EXPECT_EQ(Json::parse(Get("/version").body)["grpc_version"], grpc::Version());
}

TEST_P(HttpTest, WhereItIsReadOnlyEveryPostGets403) {
  control_.BeReadOnly();
  for (const auto& [path, body] : {std::pair{"/drain", ""},
                                   {"/loglevel", R"({"level":"warn"})"},
                                   {"/reload", ""},
                                   {"/streams/1/cancel", ""}}) {
    const HttpAnswer answer = Post(path, body);
    EXPECT_EQ(answer.status, 403) << path;
    EXPECT_EQ(answer.error_code(), "PERMISSION_DENIED") << path;
    EXPECT_THAT(answer.error_message(), HasSubstr("admin.read_only is true")) << path;
  }
  EXPECT_EQ(control_.drains(), 0);
  EXPECT_TRUE(control_.FindStream(1).has_value());
  EXPECT_EQ(Get("/streams/1").status, 200);
}

TEST_P(HttpTest, StateIsChangedByPostOnly) {
  for (const char* path : {"/drain", "/loglevel", "/reload", "/streams/1/cancel"}) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      const HttpAnswer answer =
          Ask(std::string(method) + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      EXPECT_EQ(answer.status, 405) << method << " " << path;
      EXPECT_THAT(answer.head, HasSubstr("Allow: POST\r\n")) << method << " " << path;
    }
  }
  EXPECT_EQ(control_.drains(), 0);
  EXPECT_TRUE(control_.reloads().empty());
  EXPECT_TRUE(control_.FindStream(1).has_value());
}

TEST_P(HttpTest, WhatIsReadIsNotPosted) {
  for (const char* path :
       {"/", "/streams", "/streams/watch", "/streams/1", "/config", "/version"}) {
    const HttpAnswer answer = Post(path, "{}");
    EXPECT_EQ(answer.status, 405) << path;
    EXPECT_THAT(answer.head, HasSubstr("Allow: GET, HEAD\r\n")) << path;
    EXPECT_EQ(answer.error_code(), "UNIMPLEMENTED") << path;
  }
  EXPECT_THAT(Post("/streams/%7f", "{}").error_message(), HasSubstr("/streams/\\x7f takes"));
}

TEST_P(HttpTest, WhatDoesNotExistIsNotFound) {
  EXPECT_EQ(Post("/streams/" + std::string(8000, '1') + "/cancel", "{}").status, 404);
  for (const char* path : {"/x", "/streams/", "/streams/1/x", "/streams/1/cancel/", "/streams/1/2",
                           "//", "/../etc/passwd", "/index.html/", "/metrics"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
    EXPECT_EQ(Get(path).error_code(), "NOT_FOUND") << path;
  }
}

TEST_P(HttpTest, HeadIsGetWithoutTheBody) {
  const HttpAnswer answer = Ask("HEAD /streams HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST_P(HttpTest, BrokenRequestsAreRefusedInJson) {
  for (const char* request : {"GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / x y\r\n\r\n"}) {
    const HttpAnswer answer = Ask(request);
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_EQ(answer.error_code(), "INVALID_ARGUMENT") << request;
  }
  EXPECT_EQ(Get("/streams?method=" + std::string(8000, 'x')).status, 200);
  EXPECT_EQ(Get("/" + std::string(9000, 'x')).status, 414);
  EXPECT_EQ(Get("/streams", "X: " + std::string(9000, 'x') + "\r\n").status, 400);
}

TEST_P(HttpTest, ABodyThatIsTooLargeIsRefused) {
  const HttpAnswer answer =
      Post("/streams/1/cancel", R"({"reason":")" + std::string(70'000, 'x') + "\"}");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.error_message(), "the body is too large");
}

TEST_P(HttpTest, AHeadWithoutEndIsRefused) {
  std::string request = "GET /streams HTTP/1.1\r\n";
  for (int i = 0; i < 10'000; ++i) request += "X-Many: headers of which there are too many\r\n";
  EXPECT_EQ(Ask(request).status, 400);
}

TEST_P(HttpTest, NothingIsCompressedAndNoPartIsGiven) {
  const HttpAnswer answer =
      Get("/streams", "Accept-Encoding: br, gzip\r\nRange: bytes=0-1,0-2,0-3\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, Not(HasSubstr("Content-Encoding")));
  EXPECT_EQ(Json::parse(answer.body)["streams"].size(), 3u);
}

using HttpClientTest = AdminTest;

TEST_F(HttpClientTest, ALibrarysClientIsServed) {
  control_.Add(SomeStream(1));
  httplib::Client client("127.0.0.1", server().port());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Get("/streams/1");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
  }
  const auto cancelled = client.Post("/streams/1/cancel", "{}", "application/json");
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->status, 200);
}

TEST(HttpJsonTest, AnErrorInsideIsAServerError) {
  httplib::Response response;
  RespondError(grpc::Status(grpc::StatusCode::UNKNOWN, "what"), response);
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, R"({"code":"INTERNAL","message":"what"})");
}

TEST(HttpJsonTest, AnErrorsTextMayBeAnyBytes) {
  EXPECT_EQ(ErrorJson("A", "\"\n\xff"), "{\"code\":\"A\",\"message\":\"\\\"\\n\xef\xbf\xbd\"}");
}

LANEKEEPER_ANY_ADDRESS(HttpTest);

}  // namespace
}  // namespace lanekeeper::testing
