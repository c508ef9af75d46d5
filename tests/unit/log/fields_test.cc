#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

std::string Encode(const std::vector<LogField>& list) {
  spdlog::memory_buf_t bytes;
  LogFields fields(bytes);
  for (const LogField& field : list) fields.Add(field);
  return {bytes.data(), bytes.size()};
}

void ExpectDecodes(const std::string& encoded, const std::vector<LogField>& want) {
  std::string_view rest = encoded;
  for (const LogField& field : want) {
    const auto next = NextLogField(rest);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->key, field.key);
    EXPECT_EQ(next->value, field.value);
  }
  EXPECT_FALSE(NextLogField(rest));
}

TEST(LogFields, ComeBackAsTheyWereAdded) {
  const std::vector<LogField> fields = {{"bool", true},  {"int", -5},   {"unsigned", 5u},
                                        {"double", 0.5}, {"text", "x"}, {"", ""}};
  ExpectDecodes(Encode(fields), fields);
}

TEST(LogFields, CutLongStrings) {
  const std::string text(kLogStringBytes + 1, 'x');
  ExpectDecodes(Encode({{"text", text}, {"next", 1}}),
                {{"text", std::string_view(text).substr(0, kLogStringBytes)}, {"next", 1}});
}

TEST(LogFields, HoldAnyBytes) {
  std::mt19937 random(4711);
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    std::string& text = texts.emplace_back(random() % kLogStringBytes, '\0');
    for (char& c : text) c = static_cast<char>(random());
  }
  std::vector<LogField> fields;
  for (const std::string& text : texts) {
    fields.emplace_back("text", text);
    fields.emplace_back("number", random());
  }
  ExpectDecodes(Encode(fields), fields);
}

}  // namespace
}  // namespace lanekeeper
