#include "config/nearest.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

const std::vector<std::string> kNames = {"listen", "upstream", "rpc_threads", "limits",
                                         "drain",  "metrics",  "log",         "time"};

TEST(NearestTest, SlipsOfTheFingersAreRecognised) {
  EXPECT_EQ(NearestName("listne", kNames), "listen");
  EXPECT_EQ(NearestName("lisen", kNames), "listen");
  EXPECT_EQ(NearestName("tiem", kNames), "time");
  EXPECT_EQ(NearestName("logs", kNames), "log");
  EXPECT_EQ(NearestName("metric", kNames), "metrics");
}

TEST(NearestTest, OtherSpellingsAreRecognised) {
  EXPECT_EQ(NearestName("rpc-threads", kNames), "rpc_threads");
  EXPECT_EQ(NearestName("rpcThreads", kNames), "rpc_threads");
  EXPECT_EQ(NearestName("LISTEN", kNames), "listen");
}

TEST(NearestTest, TheNearestOfSeveralWins) {
  EXPECT_EQ(NearestName("abcdefghi", {"abcdefgxy", "abcdefghx"}), "abcdefghx");
}

TEST(NearestTest, NothingNearGivesNothing) {
  EXPECT_EQ(NearestName("tls", kNames), std::nullopt);
  EXPECT_EQ(NearestName("authentication", kNames), std::nullopt);
  EXPECT_EQ(NearestName("", kNames), std::nullopt);
  EXPECT_EQ(NearestName(std::string(1'000'000, 'x'), kNames), std::nullopt);
  EXPECT_EQ(NearestName("listen", {}), std::nullopt);
}

}  // namespace
}  // namespace lanekeeper
