#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {

Lab::Lab(const RouteKind& kind, const Route::Change& change, const Manners& server)
    : server_(server), route_(kind, server_.address(), change) {}

Observation Lab::Run(const Case& test_case, const Manners& client) {
  SCOPED_TRACE(test_case.name);
  const size_t nth = server_.arrived(kPath);
  server_.On(kPath, test_case.server);
  Connection connection(route_.target(), client);
  const std::shared_ptr<Stream> rpc = connection.NewStream();
  test_case.client(*rpc);
  EXPECT_TRUE(rpc->AwaitClosed()) << "the client's stream is left open";
  const std::shared_ptr<Stream> served = server_.AwaitServed(kPath, nth);
  if (served == nullptr) {
    ADD_FAILURE() << "the RPC did not reach the server, or its script did not return";
    return {rpc->events(), {}};
  }
  EXPECT_TRUE(served->AwaitClosed()) << "the server's stream is left open";
  return {rpc->events(), served->events()};
}

void ExpectEqualToDirect(const RouteKind& kind, const std::vector<Case>& cases,
                         const Route::Change& change, const Manners& server) {
  Lab direct(DirectRoute(), change, server);
  Lab routed(kind, change, server);
  const auto expected = [&](const Case& test_case, Difference::End end, const Events& events) {
    const std::string text = Text(events);
    return kind.proxies == 0 ? text : Expected(test_case.name, end, text);
  };
  for (const Case& test_case : cases) {
    SCOPED_TRACE(test_case.name);
    const Observation seen_directly = direct.Run(test_case);
    const Observation seen = routed.Run(test_case);
    EXPECT_EQ(Text(seen.client),
              expected(test_case, Difference::End::kClient, seen_directly.client))
        << "what the client saw";
    EXPECT_EQ(Text(seen.server),
              expected(test_case, Difference::End::kServer, seen_directly.server))
        << "what the server saw";
  }
}

Script UnaryThatSaysWhenItHasRead(const Gate& read) {
  return [=](Stream& rpc) {
    rpc.Headers(Request()).LastMessage("request");
    rpc.AwaitMessages(1);
    read.Open();
    rpc.AwaitEnd();
  };
}

Script Unary(Fields more, const std::string& request) {
  return [more = std::move(more), request](Stream& rpc) {
    rpc.Headers(Request(more)).LastMessage(request);
    rpc.AwaitEnd();
  };
}

void FloodOneWindow(Stream& rpc) {
  constexpr size_t kMessageBytes = 1000;
  static_assert((kMessageBytes + 5) * kMessagesOfOneWindow <= 65'535 &&
                (kMessageBytes + 5) * (kMessagesOfOneWindow + 1) > 65'535);
  for (size_t i = 0; i < 20 * kMessagesOfOneWindow; ++i) {
    rpc.Message(std::string(kMessageBytes, 'x'));
  }
}

Script Answer(Fields headers, Fields trailers) {
  return [headers = std::move(headers), trailers = std::move(trailers)](Stream& rpc) {
    rpc.AwaitEnd();
    rpc.Headers(Response(headers)).Message("response").LastHeaders(Trailers("0", trailers));
  };
}

}  // namespace lanekeeper::testing::wire
