#include "config/overlap.h"

#include <gtest/gtest.h>

#include <string>

namespace lanekeeper {
namespace {

ListenAddress Address(const char* text) {
  std::string why;
  const auto address = ParseListenAddress(text, &why);
  EXPECT_TRUE(address) << text << ": " << why;
  return address.value_or(ListenAddress{});
}

void ExpectOverlap(const char* a, const char* b, bool expected) {
  EXPECT_EQ(ListenOverlap(Address(a), Address(b)), expected) << a << " and " << b;
  EXPECT_EQ(ListenOverlap(Address(b), Address(a)), expected) << b << " and " << a;
}

void ExpectReaches(const char* dialled, const char* listening, bool expected) {
  EXPECT_EQ(DialReaches(Address(dialled), Address(listening)), expected)
      << dialled << " to " << listening;
}

TEST(OverlapTest, SameSocketOverlapsHoweverItIsWritten) {
  ExpectOverlap("127.0.0.1:1", "127.0.0.1:1", true);
  ExpectOverlap("[::1]:1", "[0:0:0:0:0:0:0:1]:1", true);
  ExpectOverlap("[::ffff:127.0.0.1]:1", "127.0.0.1:1", true);
  ExpectOverlap("localhost:1", "127.0.0.1:1", true);
  ExpectOverlap("localhost:1", "[::1]:1", true);
  ExpectOverlap("Orders:1", "orders:1", true);
  ExpectOverlap("unix:///a", "unix:///a", true);
}

TEST(OverlapTest, WildcardsIncludeEveryAddressOfTheirFamily) {
  ExpectOverlap("0.0.0.0:1", "10.1.2.3:1", true);
  ExpectOverlap("0.0.0.0:1", "[::1]:1", false);
  ExpectOverlap("[::]:1", "[2001:db8::1]:1", true);
  ExpectOverlap("[::]:1", "10.1.2.3:1", true);
  ExpectOverlap("[::]:1", "0.0.0.0:1", true);
}

TEST(OverlapTest, OtherPortsAddressesAndNamesAreApart) {
  ExpectOverlap("127.0.0.1:1", "127.0.0.1:2", false);
  ExpectOverlap("127.0.0.1:1", "127.0.0.2:1", false);
  ExpectOverlap("orders:1", "payments:1", false);
  ExpectOverlap("unix:///a", "unix:///b", false);
  ExpectOverlap("unix:///a", "127.0.0.1:1", false);
}

TEST(OverlapTest, PortZeroIsAlwaysFree) { ExpectOverlap("127.0.0.1:0", "127.0.0.1:0", false); }

TEST(OverlapTest, LoopbackReachesWildcards) {
  ExpectReaches("127.0.0.1:1", "0.0.0.0:1", true);
  ExpectReaches("127.9.9.9:1", "0.0.0.0:1", true);
  ExpectReaches("localhost:1", "[::]:1", true);
  ExpectReaches("[::1]:1", "[::]:1", true);
  ExpectReaches("[::1]:1", "0.0.0.0:1", false);
}

TEST(OverlapTest, DiallingAWildcardReachesLoopback) {
  ExpectReaches("0.0.0.0:1", "127.0.0.1:1", true);
  ExpectReaches("[::]:1", "[::1]:1", true);
  ExpectReaches("0.0.0.0:1", "10.0.0.1:1", false);
}

TEST(OverlapTest, AnotherAddressMayBeAnotherMachine) {
  ExpectReaches("10.0.0.1:1", "0.0.0.0:1", false);
  ExpectReaches("orders:1", "0.0.0.0:1", false);
  ExpectReaches("10.0.0.1:1", "10.0.0.1:1", true);
  ExpectReaches("127.0.0.1:1", "127.0.0.1:2", false);
}

TEST(OverlapTest, UnixReachesItsOwnPathOnly) {
  ExpectReaches("unix:///a", "unix:///a", true);
  ExpectReaches("unix:///a", "unix:///b", false);
  ExpectReaches("127.0.0.1:1", "unix:///a", false);
}

}  // namespace
}  // namespace lanekeeper
