#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/load/grpc_framing.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/message_source.h"
#include "tests/bench/load/pattern.h"

namespace bench {
namespace {

TEST(Histogram, QuantilesAreWithinOnePercentOverAllMagnitudes) {
  for (uint64_t unit = 1; unit < 4'000'000'000; unit *= 7) {
    Histogram histogram;
    for (uint64_t i = 1; i <= 1000; ++i) histogram.Add(i * unit);
    EXPECT_EQ(histogram.min_ns(), unit);
    EXPECT_EQ(histogram.max_ns(), 1000 * unit);
    for (const auto& [share, expected] : {std::pair{0.5, 500}, {0.99, 990}, {0.999, 999}}) {
      const auto exact = static_cast<double>(expected * unit);
      EXPECT_NEAR(static_cast<double>(histogram.QuantileNs(share)), exact, exact / 100) << unit;
    }
  }
}

TEST(Histogram, OfNothingIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min_ns(), 0U);
  EXPECT_EQ(histogram.QuantileNs(0.5), 0U);
}

TEST(Histogram, KeepsWhatIsLongerThanItsRange) {
  Histogram histogram;
  histogram.Add(UINT64_MAX);
  EXPECT_EQ(histogram.max_ns(), UINT64_MAX);
  EXPECT_EQ(histogram.count(), 1U);
}

TEST(Pattern, PiecesMakeTheWhole) {
  constexpr size_t kSize = 200'000;  // more than the pattern's period
  std::string whole(kSize, '\0'), pieces(kSize, '\0');
  const Pattern pattern(7);
  pattern.Write(whole.data(), 0, kSize);
  for (size_t at = 0; at < kSize; at += 1000) pattern.Write(pieces.data() + at, at, 1000);
  EXPECT_EQ(whole, pieces);
  EXPECT_TRUE(pattern.Equals(whole, 0));
  EXPECT_TRUE(pattern.Equals(std::string_view(whole).substr(70'000), 70'000));
}

TEST(Pattern, TellsChangedShiftedAndSwappedBytes) {
  std::string bytes(100, '\0');
  Pattern(1).Write(bytes.data(), 0, bytes.size());
  EXPECT_FALSE(Pattern(2).Equals(bytes, 0));
  EXPECT_FALSE(Pattern(1).Equals(bytes, 1));
  bytes.back() ^= 1;
  EXPECT_FALSE(Pattern(1).Equals(bytes, 0));
}

// Remembers what a reader found.
struct Found {
  std::vector<std::string> messages;
  bool OnMessageBegin(char flag, size_t size) {
    messages.push_back(std::to_string(flag) + "/" + std::to_string(size) + ":");
    return true;
  }
  bool OnMessageBytes(std::string_view bytes, size_t) {
    messages.back() += bytes;
    return true;
  }
  bool OnMessageEnd() {
    messages.back() += ".";
    return true;
  }
};

TEST(MessageReader, FindsMessagesHoweverTheyAreCut) {
  const std::string stream("\0\0\0\0\2hi\1\0\0\0\0\0\0\0\0\3abc", 20);
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    MessageReader reader;
    Found found;
    for (size_t at = 0; at < stream.size(); at += piece) {
      EXPECT_TRUE(reader.Read(std::string_view(stream).substr(at, piece), found));
    }
    EXPECT_EQ(found.messages, (std::vector<std::string>{"0/2:hi.", "1/0:.", "0/3:abc."}));
    EXPECT_TRUE(reader.between_messages());
  }
}

TEST(MessageReader, KnowsThatAMessageIsNotWhole) {
  MessageReader reader;
  Found found;
  EXPECT_TRUE(reader.Read(std::string_view("\0\0\0\0\2h", 6), found));
  EXPECT_FALSE(reader.between_messages());
}

TEST(MessageSource, HandsOutPrefixAndPatternInPieces) {
  MessageSource source(3, 10);
  ASSERT_EQ(source.left(), 15U);
  std::string bytes(15, '\0');
  for (size_t at = 0; at < bytes.size(); at += 4) source.Take(bytes.data() + at, 4);
  EXPECT_EQ(source.left(), 0U);
  EXPECT_EQ(bytes.substr(0, 5), std::string("\0\0\0\0\x0a", 5));
  EXPECT_TRUE(Pattern(3).Equals(std::string_view(bytes).substr(5), 0));
}

TEST(MessageSource, OfNumbersIsBigEndian) {
  MessageSource source = MessageSource::OfNumbers(1, 0x0203);
  std::array<char, 13> bytes{};
  source.Take(bytes.data(), bytes.size());
  EXPECT_EQ(std::string(bytes.data(), bytes.size()),
            std::string("\0\0\0\0\x08\0\0\0\1\0\0\2\3", 13));
}

}  // namespace
}  // namespace bench
