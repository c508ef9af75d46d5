#include "proxy/rpc/method_limits.h"

#include <gtest/gtest.h>

#include <string>

namespace lanekeeper {
namespace {

// The match of the entry that a method falls under; empty if there is none.
std::string EntryOf(const MethodLimits& limits, const std::string& path) {
  const MethodLimits::Entry* entry = limits.Find(path);
  return entry != nullptr ? entry->match : "";
}

TEST(MethodLimitsTest, WithoutEntriesNothingIsLimited) {
  const MethodLimits limits;
  EXPECT_EQ(limits.Find("/a.B/C"), nullptr);
}

TEST(MethodLimitsTest, AMethodAServiceAndAllAreMatched) {
  MethodLimits limits;
  limits.Set({{"/a.B/C", 1}, {"/a.B/*", 2}, {"/a.D/E", 3}});
  EXPECT_EQ(EntryOf(limits, "/a.B/C"), "/a.B/C");
  EXPECT_EQ(EntryOf(limits, "/a.B/D"), "/a.B/*");
  EXPECT_EQ(EntryOf(limits, "/a.D/E"), "/a.D/E");
  for (const char* other : {"/a.BB/C", "/a.D/F", "/a.B", "a.B/C", "/", "", "x"}) {
    EXPECT_EQ(EntryOf(limits, other), "") << other;
  }
  limits.Set({{"/a.B/C", 1}, {"*", 2}});
  for (const char* other : {"/a.BB/C", "/", "", "x"}) EXPECT_EQ(EntryOf(limits, other), "*");
}

TEST(MethodLimitsTest, TheFirstThatMatchesCounts) {
  MethodLimits limits;
  limits.Set({{"/a.B/*", 1}, {"/a.B/C", 2}, {"/a.B/*", 3}});
  EXPECT_EQ(limits.Find("/a.B/C")->index, 0u);
  limits.Set({{"/x.Y/Z", 1}, {"*", 1}, {"/a.B/C", 2}});
  EXPECT_EQ(limits.Find("/a.B/C")->index, 1u);
}

TEST(MethodLimitsTest, AnEntryKeepsItsCountWhenTheEntriesAreReplaced) {
  MethodLimits limits;
  limits.Set({{"/a.B/C", 1}});
  const OpenCount open = limits.Find("/a.B/C")->open;
  limits.Set({{"/a.B/D", 1}, {"/a.B/C", 5}});
  EXPECT_EQ(limits.Find("/a.B/C")->open, open);
  EXPECT_EQ(limits.Find("/a.B/C")->open_rpcs_max, 5);
  EXPECT_NE(limits.Find("/a.B/D")->open, open);
}

}  // namespace
}  // namespace lanekeeper
