// RST_STREAM with each code, from either end and at each phase of an RPC.
#include <gtest/gtest.h>

#include "tests/conformance/wire/gate.h"
#include "tests/conformance/wire/grpc_client.h"
#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireResets : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireResets);

constexpr uint32_t kLastCode = NGHTTP2_HTTP_1_1_REQUIRED;

std::string Name(const char* what, uint32_t code) { return what + (" " + std::to_string(code)); }

std::vector<Case> ServerResets() {
  const Gate read;
  std::vector<Case> cases;
  for (uint32_t code = 0; code <= kLastCode; ++code) {
    cases.push_back({Name("server resets before headers", code), Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Reset(code);
                     }});
    cases.push_back({Name("server resets after headers", code), Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Headers(Response({{"x-header", "h"}})).Reset(code);
                     }});
    cases.push_back({Name("server resets after a message was read", code),
                     UnaryThatSaysWhenItHasRead(read), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Headers(Response()).Message("whole");
                       read.Pass();
                       rpc.Reset(code);
                     }});
    cases.push_back({Name("server resets mid message", code), Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Headers(Response()).Data(Framed("in two").substr(0, 7)).Reset(code);
                     }});
  }
  return cases;
}

TEST_P(WireResets, AServersResetPasses) { ExpectEqualToDirect(GetParam(), ServerResets()); }

TEST_P(WireResets, AServersResetIsTheSameStatusToAnApplication) {
  std::vector<Case> cases;
  for (uint32_t code = 0; code <= kLastCode; ++code) {
    cases.push_back({Name("server resets at once", code), Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Reset(code);
                     }});
    cases.push_back({Name("server resets after headers", code), Unary(), [=](Stream& rpc) {
                       rpc.AwaitEnd();
                       rpc.Headers(Response({{"x-header", "h"}})).Reset(code);
                     }});
  }
  ExpectToldTheSame(GetParam(), cases);
}

// At once: the message and the reset may be read from the socket together.
Case ResetRightAfterAMessage(uint32_t code) {
  return {Name("server resets right after a message", code), Unary(), [=](Stream& rpc) {
            rpc.AwaitEnd();
            rpc.Headers(Response()).Message("whole").Reset(code);
          }};
}

TEST_P(WireResets, AMessageThatCameBeforeABadEndArrives) {
  std::vector<Case> cases;
  for (uint32_t code = 0; code <= kLastCode; ++code) cases.push_back(ResetRightAfterAMessage(code));
  cases.push_back({"no trailers right after a message", Unary(), [](Stream& rpc) {
                     rpc.AwaitEnd();
                     rpc.Headers(Response()).LastMessage("whole");
                   }});
  ExpectEqualToDirect(GetParam(), cases);
}

// The server waits for each phase to be reached and tells the client, which then resets.
std::vector<Case> ClientResets(uint32_t code) {
  const Gate reached;
  const auto await_end = [](Stream& rpc) { rpc.AwaitEnd(); };
  return {
      {Name("client resets after headers", code),
       [=](Stream& rpc) {
         rpc.Headers(Request());
         reached.Pass();
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         reached.Open();
         await_end(rpc);
       }},
      {Name("client resets after a message", code),
       [=](Stream& rpc) {
         rpc.Headers(Request()).Message("first");
         reached.Pass();
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         rpc.AwaitMessages(1);
         reached.Open();
         await_end(rpc);
       }},
      {Name("client resets mid message", code),
       [=](Stream& rpc) {
         rpc.Headers(Request()).Message("first").Data(Framed("in two").substr(0, 7));
         reached.Pass();
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         rpc.AwaitMessages(1);
         reached.Open();
         await_end(rpc);
       }},
      {Name("client resets after response headers", code),
       [=](Stream& rpc) {
         rpc.Headers(Request()).Message("first").AwaitHeaders();
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         rpc.AwaitMessages(1);
         rpc.Headers(Response());
         await_end(rpc);
       }},
      {Name("client resets after a response", code),
       [=](Stream& rpc) {
         rpc.Headers(Request()).Message("first").AwaitMessages(1);
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         rpc.AwaitMessages(1);
         rpc.Headers(Response()).Message("first response");
         await_end(rpc);
       }},
      {Name("client resets after half-close", code),
       [=](Stream& rpc) {
         rpc.Headers(Request()).LastMessage("only");
         reached.Pass();
         rpc.Reset(code);
       },
       [=](Stream& rpc) {
         rpc.AwaitEnd();
         reached.Open();
         rpc.AwaitClosed();
       }},
  };
}

TEST_P(WireResets, AClientsResetPasses) {
  std::vector<Case> cases;
  for (uint32_t code = 0; code <= kLastCode; ++code) {
    for (Case& one : ClientResets(code)) cases.push_back(std::move(one));
  }
  ExpectEqualToDirect(GetParam(), cases);
}

TEST_P(WireResets, ACancelOvertakesResponsesThatWaitForTheClientsWindow) {
  ExpectEqualToDirect(GetParam(), {{"responses that are not read",
                                    [](Stream& rpc) {
                                      rpc.StopReading();
                                      rpc.Headers(Request());
                                      EXPECT_TRUE(rpc.AwaitMessages(kMessagesOfOneWindow));
                                      rpc.Reset(NGHTTP2_CANCEL);
                                    },
                                    [](Stream& rpc) {
                                      rpc.Headers(Response());
                                      FloodOneWindow(rpc);
                                      rpc.AwaitEnd();
                                    }}});
}

TEST_P(WireResets, ACancelOvertakesRequestsThatWaitForTheServersWindow) {
  const Gate reached;
  ExpectEqualToDirect(GetParam(), {{"requests that are not read",
                                    [=](Stream& rpc) {
                                      rpc.Headers(Request()).AwaitHeaders();
                                      FloodOneWindow(rpc);
                                      reached.Pass();
                                      rpc.ResetAtOnce(NGHTTP2_CANCEL);
                                    },
                                    [=](Stream& rpc) {
                                      rpc.StopReading();
                                      rpc.Headers(Response());
                                      EXPECT_TRUE(rpc.AwaitMessages(kMessagesOfOneWindow));
                                      reached.Open();
                                      rpc.AwaitEnd();
                                    }}});
}

TEST_P(WireResets, ALostConnectionEndsTheRpcAtTheOtherEnd) {
  const Gate reached;
  ExpectEqualToDirect(GetParam(), {{"client's connection is lost",
                                    [=](Stream& rpc) {
                                      rpc.Headers(Request()).Message("first");
                                      reached.Pass();
                                      rpc.connection().Cut();
                                    },
                                    [=](Stream& rpc) {
                                      rpc.AwaitMessages(1);
                                      reached.Open();
                                      rpc.AwaitEnd();
                                    }},
                                   {"server's connection is lost before headers", Unary(),
                                    [](Stream& rpc) {
                                      rpc.AwaitEnd();
                                      rpc.connection().Cut();
                                    }},
                                   {"server's connection is lost after a message",
                                    UnaryThatSaysWhenItHasRead(reached), [=](Stream& rpc) {
                                      rpc.AwaitEnd();
                                      rpc.Headers(Response()).Message("first");
                                      reached.Pass();
                                      rpc.connection().Cut();
                                    }}});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
