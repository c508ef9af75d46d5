// What one end has sent reaches the other although nothing follows. The best of several tries
// counts, so that a busy machine does not fail it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

using std::chrono::steady_clock;

class WirePromptness : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WirePromptness);

constexpr auto kPrompt = std::chrono::milliseconds(20);
constexpr int kTries = 10;

// The shortest time of several from the request to what the client awaits.
steady_clock::duration Best(const RouteKind& kind, const Script& server,
                            const std::function<bool(Stream&)>& await) {
  Lab lab(kind);
  lab.server().On(kPath, server);
  Connection connection(lab.route().target());
  steady_clock::duration best = std::chrono::hours(1);
  for (int i = 0; i < kTries && best > kPrompt; ++i) {
    const std::shared_ptr<Stream> rpc = connection.NewStream();
    const auto begin = steady_clock::now();
    rpc->Headers(Request());
    EXPECT_TRUE(await(*rpc));
    best = std::min(best, steady_clock::now() - begin);
    rpc->Reset(NGHTTP2_CANCEL);
  }
  return best;
}

TEST_P(WirePromptness, ResponseHeadersArriveWhileBothEndsAreSilent) {
  EXPECT_LT(Best(
                GetParam(),
                [](Stream& rpc) {
                  rpc.Headers(Response());
                  rpc.AwaitClosed();
                },
                [](Stream& rpc) { return rpc.AwaitHeaders(); }),
            kPrompt);
}

TEST_P(WirePromptness, AResponseArrivesWhileTheServerIsSilent) {
  EXPECT_LT(Best(
                GetParam(),
                [](Stream& rpc) {
                  rpc.Headers(Response()).Message("first");
                  rpc.AwaitClosed();
                },
                [](Stream& rpc) { return rpc.AwaitMessages(1); }),
            kPrompt);
}

TEST_P(WirePromptness, AStatusArrivesWhileTheClientIsSilent) {
  EXPECT_LT(Best(
                GetParam(), [](Stream& rpc) { rpc.EndEarly(TrailersOnly("5")); },
                [](Stream& rpc) { return rpc.AwaitEnd(); }),
            kPrompt);
}

}  // namespace
}  // namespace lanekeeper::testing::wire
