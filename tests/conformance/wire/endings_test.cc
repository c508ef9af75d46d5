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
        [](Stream& rpc) { rpc.Headers(Request()).HalfClose().AwaitEnd(); }, Answer()},
       {"after a response was read",
        [](Stream& rpc) {
          rpc.Headers(Request()).Message("request").AwaitMessages(1);
          rpc.HalfClose().AwaitEnd();
        },
        [](Stream& rpc) {
          rpc.Headers(Response()).AwaitMessages(1);
          rpc.Message("got it").AwaitEnd();
          rpc.LastHeaders(Trailers("11"));
        }}});
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
  ExpectEqualToDirect(GetParam(),
                      {{"early OK", write_until_told,
                        [](Stream& rpc) {
                          rpc.AwaitMessages(1);
                          rpc.Headers(Response()).Message("enough");
                          rpc.EndEarly(Trailers("0"));
                        }},
                       {"early refusal", write_until_told,
                        [](Stream& rpc) {
                          rpc.AwaitMessages(1);
                          rpc.EndEarly(TrailersOnly("8", {{"grpc-message", "full"}}));
                        }},
                       {"early, behind 100 responses", write_until_told, [](Stream& rpc) {
                          rpc.AwaitMessages(1);
                          rpc.Headers(Response());
                          for (int i = 0; i < 100; ++i) {
                            rpc.Message(std::to_string(i) + std::string(1000, 'x'));
                          }
                          rpc.EndEarly(Trailers("10"));
                        }}});
}

// How many of its messages came is a matter of luck: what the client sees is compared.
TEST_P(WireEndings, AServerThatEndsEarlyIsHeardByAClientThatNeverStopsWriting) {
  constexpr int kMessagesMax = 20'000;
  const Case test_case = {"writing on and on",
                          [](Stream& rpc) {
                            rpc.Headers(Request());
                            for (int i = 0; i < kMessagesMax && !rpc.ended(); ++i) {
                              if (!rpc.Message(std::string(10'000, 'x')).AwaitSent()) break;
                            }
                            EXPECT_TRUE(rpc.ended()) << "200 MB, and nobody says stop";
                          },
                          [](Stream& rpc) {
                            rpc.AwaitMessages(1);
                            rpc.Headers(Response()).Message("enough");
                            rpc.EndEarly(Trailers("9", {{"grpc-message", "enough"}}));
                          }};
  Lab direct(DirectRoute());
  Lab routed(GetParam());
  EXPECT_EQ(Text(routed.Run(test_case).client), Text(direct.Run(test_case).client));
}

TEST_P(WireEndings, AServerThatEndsEarlyIsHeardWhileRequestsWaitForItsWindow) {
  ExpectEqualToDirect(GetParam(), {{"requests that are not read",
                                    [](Stream& rpc) {
                                      rpc.Headers(Request()).AwaitHeaders();
                                      FloodOneWindow(rpc);
                                      rpc.AwaitEnd();
                                    },
                                    [](Stream& rpc) {
                                      rpc.StopReading();
                                      rpc.Headers(Response());
                                      EXPECT_TRUE(rpc.AwaitMessages(kMessagesOfOneWindow));
                                      rpc.EndEarly(Trailers("8", {{"grpc-message", "full"}}));
                                    }}});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
