// Every way to say how an RPC went: codes, messages, details, and answers that say it wrongly.
#include <gtest/gtest.h>

#include "tests/conformance/wire/gate.h"
#include "tests/conformance/wire/grpc_client.h"
#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireStatus : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireStatus);

Case Answered(const std::string& name, Fields trailers_only) {
  return {name, Unary(), [=](Stream& rpc) {
            rpc.AwaitEnd();
            rpc.LastHeaders(trailers_only);
          }};
}

Case AnsweredAfterAMessage(const std::string& name, Fields trailers) {
  return {name, Unary(), [=](Stream& rpc) {
            rpc.AwaitEnd();
            rpc.Headers(Response()).Message("response").LastHeaders(trailers);
          }};
}

void ExpectSameBothWays(const RouteKind& kind, const std::vector<Case>& cases,
                        const Route::Change& change = {}) {
  ExpectEqualToDirect(kind, cases, change);
  ExpectToldTheSame(kind, cases, change);
}

TEST_P(WireStatus, EveryCodePasses) {
  std::vector<Case> cases;
  for (int code = 0; code <= 16; ++code) {
    const std::string text = std::to_string(code);
    cases.push_back(Answered("trailers only with status " + text, TrailersOnly(text)));
    cases.push_back(AnsweredAfterAMessage("trailers with status " + text, Trailers(text)));
  }
  ExpectSameBothWays(GetParam(), cases);
}

std::vector<Case> AnsweredWithEach(const std::vector<std::string>& statuses) {
  std::vector<Case> cases;
  for (const std::string& status : statuses) {
    cases.push_back(Answered("trailers only with status '" + status + "'", TrailersOnly(status)));
    cases.push_back(
        AnsweredAfterAMessage("trailers with status '" + status + "'", Trailers(status)));
  }
  return cases;
}

TEST_P(WireStatus, CodesThatNobodyKnowsPass) {
  std::vector<Case> cases = AnsweredWithEach({"17", "4294967295", "abc", "", "00", "1 "});
  cases.push_back(Answered("trailers only without status", Response({{"x-key", "v"}})));
  cases.push_back(AnsweredAfterAMessage("trailers without status", {{"x-key", "v"}}));
  ExpectSameBothWays(GetParam(), cases);
  // Not to gRPC C++: its enum does not hold these, and of a negative one it makes something else.
  ExpectEqualToDirect(GetParam(), AnsweredWithEach({"99", "2147483647", "-1"}));
}

TEST_P(WireStatus, AnAnswerThatStopsWithoutTrailersPasses) {
  const Gate read;
  ExpectEqualToDirect(GetParam(),
                      {{"no trailers at all", UnaryThatSaysWhenItHasRead(read), [=](Stream& rpc) {
                          rpc.AwaitEnd();
                          rpc.Headers(Response()).Message("response");
                          read.Pass();
                          rpc.HalfClose();
                        }}});
}

TEST_P(WireStatus, MessagesPassWhateverTheySay) {
  const std::pair<const char*, std::string> messages[] = {
      {"plain", "no such order"},
      {"empty", ""},
      {"spaces inside", "a  b   c"},
      {"encoded spaces around", "%20 a %20"},
      {"encoded UTF-8", "caf%C3%A9 %E2%82%AC %F0%9F%98%80"},
      {"lower-case escapes", "caf%c3%a9"},
      {"bare UTF-8", "caf\xc3\xa9"},
      {"encoded invalid UTF-8", "%FF%FE%80"},
      {"encoded controls", "%00%01%0A%0D%09%7F"},
      {"an encoded percent", "100%25"},
      {"an invalid escape", "100%zz"},
      {"a cut escape", "100%2"},
      {"a lone percent", "100%"},
      {"all of printable ASCII", " !\"#$&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~."},
      {"8 KiB", std::string(8192, 'm')},
      {"8 KiB of escapes", [] {
         std::string text;
         for (int i = 0; i < 2048; ++i) text += "%E2";
         return text;
       }()}};
  std::vector<Case> cases;
  for (const auto& [name, message] : messages) {
    const Fields field = {{"grpc-message", message}};
    cases.push_back(Answered(std::string("message at once: ") + name, TrailersOnly("9", field)));
    cases.push_back(AnsweredAfterAMessage(std::string("message: ") + name, Trailers("9", field)));
  }
  cases.push_back(
      AnsweredAfterAMessage("a message with OK", Trailers("0", {{"grpc-message", "fine"}})));
  ExpectSameBothWays(GetParam(), cases,
                     [](Config& config) { config.limits.metadata_size_bytes = 64 * 1024; });
}

TEST_P(WireStatus, DetailsPassUpToTheLimitOfMetadata) {
  std::vector<Case> cases;
  for (const size_t bytes : {1, 100, 4096, 45 * 1024}) {
    const Fields field = {{"grpc-status-details-bin", Base64(std::string(bytes, '\xd7'))}};
    const std::string name = "details of " + std::to_string(bytes);
    cases.push_back(Answered(name + " at once", TrailersOnly("9", field)));
    cases.push_back(AnsweredAfterAMessage(name, Trailers("9", field)));
  }
  ExpectSameBothWays(GetParam(), cases,
                     [](Config& config) { config.limits.metadata_size_bytes = 128 * 1024; });
}

TEST_P(WireStatus, DetailsOf8KiBPassWithoutAWordOfConfiguration) {
  const Fields field = {{"grpc-status-details-bin", Base64(std::string(8 * 1024 - 200, 'd'))}};
  ExpectSameBothWays(GetParam(),
                     {Answered("details of 8 KiB at once", TrailersOnly("13", field)),
                      AnsweredAfterAMessage("details of 8 KiB", Trailers("13", field))});
}

TEST_P(WireStatus, HttpErrorsPass) {
  std::vector<Case> cases;
  for (const char* http : {"400", "401", "403", "404", "405", "408", "429", "500", "502", "503",
                           "504", "302", "204"}) {
    cases.push_back(
        Answered(std::string("HTTP ") + http, {{":status", http}, {"content-type", "text/html"}}));
    cases.push_back({std::string("HTTP with a body ") + http, Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Page({{":status", http}, {"content-type", "text/html"}}, "<h1>no</h1>");
                     }});
  }
  cases.push_back(Answered("HTTP 503 with a status", {{":status", "503"},
                                                      {"content-type", "application/grpc"},
                                                      {"grpc-status", "8"},
                                                      {"grpc-message", "full"}}));
  ExpectSameBothWays(GetParam(), cases);
}

TEST_P(WireStatus, AnswersWithAnotherContentTypePass) {
  const auto answer = [](Fields headers) {
    return [=](Stream& rpc) {
      rpc.AwaitEnd();
      rpc.Headers(headers).Message("response").LastHeaders(Trailers());
    };
  };
  ExpectSameBothWays(GetParam(),
                     {{"no content-type", Unary(), answer({{":status", "200"}})},
                      {"content-type with a codec", Unary(),
                       answer({{":status", "200"}, {"content-type", "application/grpc+proto"}})},
                      {"content-type of a page", Unary(),
                       answer({{":status", "200"}, {"content-type", "text/html"}})}});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
