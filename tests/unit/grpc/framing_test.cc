#include "proxy/grpc/framing.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace lanekeeper {
namespace {

std::string Framed(const std::string& message, char flag = 0) {
  const auto size = static_cast<uint32_t>(message.size());
  return std::string{flag, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                     static_cast<char>(size >> 8), static_cast<char>(size)} +
         message;
}

bool Add(MessageCounter& counter, const std::string& bytes) {
  return counter.Add(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

TEST(FramingTest, BordersAreFoundHoweverTheBytesAreCut) {
  const std::string bytes =
      Framed("one") + Framed("") + Framed(std::string(300, 'x'), 1) + Framed("four");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    MessageCounter counter(UINT64_MAX);
    for (size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(Add(counter, bytes.substr(at, piece)));
    }
    EXPECT_EQ(counter.complete(), 4u) << piece;
    EXPECT_EQ(counter.payload_bytes(), 307u) << piece;
    EXPECT_EQ(counter.bytes(), bytes.size()) << piece;
    EXPECT_FALSE(counter.mid_message()) << piece;
  }
}

TEST(FramingTest, HalfAPrefixAndHalfAMessageAreMidMessage) {
  const std::string bytes = Framed("0123456789");
  for (size_t size = 1; size < bytes.size(); ++size) {
    MessageCounter counter(UINT64_MAX);
    ASSERT_TRUE(Add(counter, bytes.substr(0, size)));
    EXPECT_TRUE(counter.mid_message()) << size;
    EXPECT_EQ(counter.complete(), 0u) << size;
  }
}

TEST(FramingTest, AMessageThatIsTooLargeIsKnownByItsPrefix) {
  MessageCounter counter(10);
  EXPECT_TRUE(Add(counter, Framed("0123456789")));
  EXPECT_FALSE(Add(counter, Framed("0123456789a").substr(0, 5)));
  EXPECT_EQ(counter.too_large(), 11u);
  EXPECT_EQ(counter.bytes(), 15u);
}

TEST(FramingTest, ReservedFlagsPassAndAreCounted) {
  MessageCounter counter(UINT64_MAX);
  EXPECT_TRUE(Add(counter, Framed("a", 0) + Framed("b", 1) + Framed("c", 2) + Framed("d", 127)));
  EXPECT_EQ(counter.complete(), 4u);
  EXPECT_EQ(counter.reserved_flags(), 2u);
}

}  // namespace
}  // namespace lanekeeper
