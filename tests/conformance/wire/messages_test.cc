// Messages cross whole and in order, none too many: of every size, without a byte, and a thousand
// at once.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireMessages : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireMessages);

// No part of it is like another, so what is lost, doubled or moved shows.
std::string Letters(size_t size) {
  std::string text(size, '\0');
  uint32_t state = static_cast<uint32_t>(size) + 1;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>('a' + (state >> 24) % 26);
  }
  return text;
}

using Messages = std::vector<std::string>;

void SendAll(Stream& rpc, const Messages& messages) {
  for (const std::string& message : messages) rpc.Message(message);
}

// The same messages both ways; the answer follows the half-close.
Case BothWays(const std::string& name, Messages list) {
  const auto messages = std::make_shared<const Messages>(std::move(list));
  return {name,
          [=](Stream& rpc) {
            rpc.Headers(Request());
            SendAll(rpc, *messages);
            rpc.HalfClose().AwaitEnd();
          },
          [=](Stream& rpc) {
            rpc.AwaitEnd();
            rpc.Headers(Response());
            SendAll(rpc, *messages);
            rpc.LastHeaders(Trailers());
          }};
}

// Around the largest frame, the first window, and far beyond all windows.
TEST_P(WireMessages, EverySizePasses) {
  std::vector<Case> cases;
  for (const size_t size :
       {0, 1, 100, 16378, 16379, 16384, 65530, 65535, 65536, 1'000'000, 20'000'000}) {
    cases.push_back(BothWays(std::to_string(size) + " bytes", {Letters(size)}));
  }
  ExpectEqualToDirect(GetParam(), cases);
}

TEST_P(WireMessages, AThousandKeepOrderAndCount) {
  Messages messages;
  for (size_t i = 0; i < 1000; ++i) messages.push_back(std::to_string(i) + Letters(i % 300));
  ExpectEqualToDirect(GetParam(), {BothWays("1000 each way", std::move(messages))});
}

TEST_P(WireMessages, OneWithoutAByteIsNotTheEnd) {
  ExpectEqualToDirect(GetParam(), {BothWays("three empty ones each way", {"", "", ""}),
                                   BothWays("between others", {"first", "", "last"})});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
