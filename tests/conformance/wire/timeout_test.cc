// grpc-timeout: the time that is left arrives at the server, whatever unit it was said in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

using std::chrono::nanoseconds;
using ::testing::IsEmpty;

class WireTimeout : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireTimeout);

nanoseconds Parsed(const std::string& text) {
  const std::map<char, nanoseconds> units = {
      {'H', std::chrono::hours(1)},        {'M', std::chrono::minutes(1)},
      {'S', std::chrono::seconds(1)},      {'m', std::chrono::milliseconds(1)},
      {'u', std::chrono::microseconds(1)}, {'n', nanoseconds(1)}};
  return std::stoll(text) * units.at(text.back());
}

// Never more than was sent, nor less than what went missing on the way leaves.
TEST_P(WireTimeout, WhatIsLeftArrivesInEveryUnit) {
  Lab lab(GetParam());
  for (const char* sent : {"2H", "100M", "5000S", "500000m", "99999999u", "10S", "1500m"}) {
    const auto begin = std::chrono::steady_clock::now();
    const Observation seen = lab.Run({sent, Unary({{"grpc-timeout", sent}}), Answer()});
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto timeouts = ValuesAtStart(seen.server, "grpc-timeout");
    ASSERT_EQ(timeouts.size(), 1u) << sent;
    const nanoseconds left = Parsed(timeouts[0]);
    EXPECT_LE(left, Parsed(sent)) << sent << " became " << timeouts[0];
    EXPECT_GE(left, Parsed(sent) - took - std::chrono::milliseconds(1))
        << sent << " became " << timeouts[0];
  }
}

TEST_P(WireTimeout, NoneStaysNone) {
  Lab lab(GetParam());
  const Observation seen = lab.Run({"no timeout", Unary(), Answer()});
  ASSERT_FALSE(seen.server.empty());
  EXPECT_THAT(ValuesAtStart(seen.server, "grpc-timeout"), IsEmpty());
}

TEST_P(WireTimeout, TheLongestTimeoutPasses) {
  ExpectEqualToDirect(GetParam(),
                      {{"the longest", Unary({{"grpc-timeout", "99999999H"}}), Answer()}});
}

TEST_P(WireTimeout, ATimeoutThatPassesEndsBothSides) {
  Lab lab(GetParam());
  if (GetParam().proxies == 0) GTEST_SKIP() << "raw peers keep no time";
  const Observation seen = lab.Run(
      {"passing", Unary({{"grpc-timeout", "200m"}}), [](Stream& rpc) { rpc.AwaitClosed(); }});
  EXPECT_THAT(ValuesAtEnd(seen.client, "grpc-status"), ::testing::ElementsAre("4"));
  EXPECT_EQ(seen.server.back().kind, Event::Kind::kReset);
  EXPECT_EQ(seen.server.back().reset_code, uint32_t{NGHTTP2_CANCEL});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
