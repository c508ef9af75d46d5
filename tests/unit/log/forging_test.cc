// Peers choose methods, status messages and trace ids. Whatever bytes they choose, a line stays one
// line with the fields that we gave it.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>

#include "log_testing.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using namespace std::string_view_literals;

// Bytes in which what matters to the formats is frequent.
std::string RandomBytes(std::mt19937& random) {
  static constexpr std::string_view kSpecial =
      "\n\r\t\x1b\x1e\x1f\0\"\\={}:, \x7f\xc2\x80\xc2\x9b\xe2\x80\xa8\xf4\x90\xed\xa0\xff"sv;
  std::string text(random() % 60, '\0');
  for (char& c : text) {
    c = random() % 2 ? kSpecial[random() % kSpecial.size()] : static_cast<char>(random());
  }
  return text;
}

bool IsUtf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

// Reads `key=value key="value"` as a collector would: the values with their escapes undone.
std::map<std::string, std::string> ReadFields(const std::string& text) {
  std::map<std::string, std::string> fields;
  for (size_t at = 0; at < text.size();) {
    const size_t equals = text.find('=', at);
    const std::string key = text.substr(at, equals - at);
    std::string& value = fields[key];
    at = equals + 1;
    const bool quoted = text[at] == '"';
    if (quoted) ++at;
    while (at < text.size() && text[at] != (quoted ? '"' : ' ')) {
      if (text[at] == '\\') {
        const char kind = text[++at];
        const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 0;
        value += '\\';
        value += text.substr(at, digits + 1);
        at += digits + 1;
      } else {
        value += text[at++];
      }
    }
    at += quoted ? 2 : 1;
  }
  return fields;
}

TEST(Forging, FieldsCannotBeWrittenByText) {
  const std::string forged = "x\x1e{\"id\":17}";
  const KeptLog log(LogFormat::kJson);
  spdlog::info("{}", forged);
  LogEvent(LogLevel::kInfo, "event", {{"method", forged}});
  const auto plain = nlohmann::json::parse(log.lines()[0]);
  EXPECT_EQ(plain.size(), 3u);
  EXPECT_EQ(plain["message"], forged);
  const auto event = nlohmann::json::parse(log.lines()[1]);
  EXPECT_EQ(event.size(), 4u);
  EXPECT_EQ(event["method"], forged);
}

TEST(Forging, EncodedFieldsInAMessageAreText) {
  spdlog::memory_buf_t encoded;
  LogFields(encoded).Add("id", 17);
  const KeptLog log(LogFormat::kText);
  spdlog::info("{}", std::string(encoded.data(), encoded.size()));
  EXPECT_EQ(log.LastText().find("id=17"), std::string::npos);
  // Not even with a source location, as spdlog's macros add it.
  spdlog::log(spdlog::source_loc{"fields", 1, ""}, spdlog::level::info, "{}", "abc");
  EXPECT_EQ(log.LastText(), "info abc\n");
}

TEST(Forging, ALineCannotBeEnded) {
  const KeptLog log(LogFormat::kText);
  spdlog::warn("upstream says {}", "x\n2026-11-22T08:00:00.000Z error forged");
  EXPECT_EQ(log.LastText(), "warn upstream says x\\n2026-11-22T08:00:00.000Z error forged\n");
  LogEvent(LogLevel::kWarn, "event", {{"method", "/a\r\n/b"}});
  EXPECT_EQ(log.LastText(), "warn event method=\"/a\\r\\n/b\"\n");
}

TEST(Forging, AValueCannotBecomeTwoFields) {
  const KeptLog log(LogFormat::kText);
  LogEvent(LogLevel::kWarn, "event", {{"method", "x id=17"}, {"peer", "y\" id=18 z=\""}});
  EXPECT_EQ(log.LastText(), "warn event method=\"x id=17\" peer=\"y\\\" id=18 z=\\\"\"\n");
}

TEST(Forging, TerminalsAreNotSpokenTo) {
  const KeptLog log(LogFormat::kText);
  // ESC, the C1 form of CSI, a right-to-left override, a line separator.
  spdlog::info(
      "\x1b[2J \xc2\x9b"
      "2J \xe2\x80\xae \xe2\x80\xa8");
  EXPECT_EQ(log.LastText(), "info \\x1b[2J \\u009b2J \\u202e \\u2028\n");
}

TEST(Forging, BytesThatAreNotUtf8AreShownAsSuch) {
  const KeptLog log(LogFormat::kText);
  // A lone continuation, an overlong slash, a surrogate, above U+10FFFF, a truncated character.
  spdlog::info("\x80 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82");
  EXPECT_EQ(log.LastText(),
            "info \\x80 \\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82\n");
  spdlog::info("ä € 😀");
  EXPECT_EQ(log.LastText(), "info ä € 😀\n");
}

TEST(Forging, RandomBytesStayOneTextLineWithOurFields) {
  std::mt19937 random(42);
  const KeptLog log(LogFormat::kText);
  for (int i = 0; i < 20'000; ++i) {
    const std::string first = RandomBytes(random);
    const std::string second = RandomBytes(random);
    LogEvent(LogLevel::kInfo, "event", {{"first", first}, {"id", i}, {"second", second}});
    const std::string& line = log.lines().back();
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    for (const char c : line.substr(0, line.size() - 1)) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    }
    ASSERT_TRUE(IsUtf8(line)) << line;
    const std::string text = log.LastText();
    const std::string_view start = "info event ";
    ASSERT_EQ(text.substr(0, start.size()), start);
    const auto fields = ReadFields(text.substr(start.size(), text.size() - start.size() - 1));
    ASSERT_EQ(fields.size(), 3u) << line;
    ASSERT_EQ(fields.at("id"), std::to_string(i)) << line;
    ASSERT_TRUE(fields.contains("first") && fields.contains("second")) << line;
  }
}

TEST(Forging, RandomBytesStayOneJsonLineWithOurFields) {
  std::mt19937 random(43);
  const KeptLog log(LogFormat::kJson);
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = RandomBytes(random);
    spdlog::info("{}", bytes);
    const std::string& plain = log.lines().back();
    ASSERT_EQ(plain.find('\n'), plain.size() - 1);
    ASSERT_EQ(nlohmann::json::parse(plain).size(), 3u) << plain;
    LogEvent(LogLevel::kInfo, "event", {{"bytes", bytes}, {"id", i}});
    const auto line = nlohmann::json::parse(log.lines().back());
    ASSERT_EQ(line.size(), 5u) << line;
    ASSERT_EQ(line["id"], i);
    if (IsUtf8(bytes)) {
      ASSERT_EQ(line["bytes"], bytes);
    }
  }
}

}  // namespace
}  // namespace lanekeeper
