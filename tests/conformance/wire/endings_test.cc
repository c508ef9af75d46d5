// How RPCs end, in order and out of turn: both ends see through lanekeeper what they see directly.
#include <gtest/gtest.h>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireEndings : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireEndings);

const std::string kDetails = Base64("details \0 of any bytes");

TEST_P(WireEndings, AnswersInOneBlockStayInOneBlock) {
  const Fields more = {{"grpc-message", "no such thing"},
                       {"grpc-status-details-bin", kDetails},
                       {"x-first", "1"},
                       {"x-second", "2"},
                       {"x-first", "3"}};
  std::vector<Case> cases;
  for (const char* status : {"0", "1", "5", "12", "14", "16"}) {
    cases.push_back({std::string("trailers only, status ") + status, Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.LastHeaders(TrailersOnly(status, more));
                     }});
  }
  cases.push_back({"trailers only with the status alone", Unary(), [](Stream& rpc) {
                     rpc.AwaitEnd();
                     rpc.LastHeaders(TrailersOnly("3"));
                   }});
  ExpectEqualToDirect(GetParam(), cases);
}

TEST_P(WireEndings, HeadersThenTrailersStayTwoBlocks) {
  ExpectEqualToDirect(
      GetParam(),
      {{"no message", Unary(),
        [](Stream& rpc) {
          rpc.AwaitEnd();
          rpc.Headers(Response({{"x-header", "h"}}))
              .LastHeaders(Trailers("0", {{"x-trailer", "t"}}));
        }},
       {"no message, not OK", Unary(),
        [](Stream& rpc) {
          rpc.AwaitEnd();
          rpc.Headers(Response()).LastHeaders(Trailers("9", {{"grpc-message", "late"}}));
        }},
       {"one message", Unary(), Answer({{"x-header", "h"}}, {{"x-trailer", "t"}})},
       {"an empty message", Unary(), [](Stream& rpc) {
          rpc.AwaitEnd();
          rpc.Headers(Response()).Message("").LastHeaders(Trailers());
        }}});
}

TEST_P(WireEndings, HalfCloseIsTheSameOnTheLastMessageAndAfterIt) {
  ExpectEqualToDirect(
      GetParam(),
      {{"on the last DATA", Unary(), Answer()},
       {"in an empty DATA",
        [](Stream& rpc) {
          rpc.Headers(Request()).Message("request");
          rpc.AwaitSent();
          rpc.HalfClose().AwaitEnd();
        },
        Answer()},
       {"with the headers", [](Stream& rpc) { rpc.LastHeaders(Request()).AwaitEnd(); }, Answer()},
       {"after the headers, no message",
        [](Stream& rpc) { rpc.Headers(Request()).HalfClose().AwaitEnd(); }, Answer()}});
}

TEST_P(WireEndings, ALongAnswerFollowsAnEarlyHalfClose) {
  ExpectEqualToDirect(GetParam(), {{"500 responses", Unary(), [](Stream& rpc) {
                                      rpc.AwaitEnd();
                                      rpc.Headers(Response());
                                      for (int i = 0; i < 500; ++i) {
                                        rpc.Message(std::to_string(i) + std::string(i * 7, 'x'));
                                      }
                                      rpc.LastHeaders(Trailers());
                                    }}});
}

TEST_P(WireEndings, AServerThatEndsEarlyStopsAClientThatStillWrites) {
  const auto write_until_told = [](Stream& rpc) {
    rpc.Headers(Request()).Message("first").AwaitEnd();
  };
  ExpectEqualToDirect(GetParam(), {{"early OK", write_until_told,
                                    [](Stream& rpc) {
                                      rpc.AwaitMessages(1);
                                      rpc.Headers(Response()).Message("enough");
                                      rpc.EndEarly(Trailers("0"));
                                    }},
                                   {"early refusal", write_until_told, [](Stream& rpc) {
                                      rpc.AwaitMessages(1);
                                      rpc.EndEarly(TrailersOnly("8", {{"grpc-message", "full"}}));
                                    }}});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
