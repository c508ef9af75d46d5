#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

#include "log_testing.h"
#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using spdlog::level::level_enum;

constexpr std::chrono::sys_time<std::chrono::milliseconds> kMorning =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 8h;

std::string Format(spdlog::formatter& formatter, std::chrono::milliseconds after_morning,
                   level_enum level, std::string_view message) {
  spdlog::memory_buf_t line;
  formatter.format(spdlog::details::log_msg(kMorning + after_morning, {}, "lanekeeper", level,
                                            {message.data(), message.size()}),
                   line);
  return {line.data(), line.size()};
}

TEST(TextFormat, IsTimeLevelMessage) {
  const auto text = MakeLogFormatter(LogFormat::kText);
  EXPECT_EQ(Format(*text, 0ms, level_enum::warn, "a message"),
            "2026-11-22T08:00:00.000Z warn a message\n");
  EXPECT_EQ(Format(*text, 7ms, level_enum::info, "the same second"),
            "2026-11-22T08:00:00.007Z info the same second\n");
  EXPECT_EQ(Format(*text, 61'999ms, level_enum::err, "later"),
            "2026-11-22T08:01:01.999Z error later\n");
  EXPECT_EQ(Format(*text, -1ms, level_enum::debug, "the clock was set back"),
            "2026-11-22T07:59:59.999Z debug the clock was set back\n");
}

TEST(JsonFormat, IsTimeLevelMessage) {
  const auto json = MakeLogFormatter(LogFormat::kJson);
  EXPECT_EQ(Format(*json, 12ms, level_enum::warn, "a \"message\""),
            "{\"time\":\"2026-11-22T08:00:00.012Z\",\"level\":\"warn\","
            "\"message\":\"a \\\"message\\\"\"}\n");
}

TEST(TextFormat, QuotesValuesOnlyWhereNeeded) {
  const KeptLog log(LogFormat::kText);
  LogEvent(LogLevel::kWarn, "message",
           {{"word", "a/b:c"},
            {"empty", ""},
            {"spaces", "a b"},
            {"quote", "a\"b"},
            {"equals", "a=b"},
            {"backslash", "a\\b"},
            {"control", "a\nb\x1b[31m"},
            {"umlaut", "ä"}});
  EXPECT_EQ(log.LastText(),
            "warn message word=a/b:c empty=\"\" spaces=\"a b\" quote=\"a\\\"b\" equals=\"a=b\" "
            "backslash=\"a\\\\b\" control=\"a\\nb\\x1b[31m\" umlaut=\"ä\"\n");
}

TEST(TextFormat, KeepsTheTypesAndTheOrderOfFields) {
  const KeptLog log(LogFormat::kText);
  LogEvent(LogLevel::kInfo, "types",
           {{"z", 17},
            {"negative", int64_t{-1}},
            {"large", std::numeric_limits<uint64_t>::max()},
            {"a", 12.5},
            {"whole", 3.0},
            {"yes", true},
            {"string", std::string("s")}});
  EXPECT_EQ(log.LastText(),
            "info types z=17 negative=-1 large=18446744073709551615 a=12.5 whole=3 yes=true "
            "string=s\n");
}

TEST(JsonFormat, MergesFieldsBehindTheMessage) {
  const KeptLog log(LogFormat::kJson);
  LogEvent(LogLevel::kError, "types",
           {{"id", 17},
            {"ratio", -0.25},
            {"yes", false},
            {"infinite", std::numeric_limits<double>::infinity()},
            {"quote", "a\"b\n"},
            {"not_utf8",
             "a\xff"
             "b"}});
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_EQ(log.lines()[0].substr(std::string("{\"time\":\"\",").size() + kTimestampBytes),
            "\"level\":\"error\",\"message\":\"types\",\"id\":17,\"ratio\":-0.25,\"yes\":false,"
            "\"infinite\":null,\"quote\":\"a\\\"b\\n\",\"not_utf8\":\"a\xef\xbf\xbd"
            "b\"}\n");
}

TEST(LogEvent, BuildsFieldsOnlyWhenTheLevelIsEnabled) {
  const KeptLog log(LogFormat::kText, spdlog::level::warn);
  bool built = false;
  LogEvent(LogLevel::kInfo, "not enabled", [&](LogFields&) { built = true; });
  EXPECT_FALSE(built);
  EXPECT_TRUE(log.lines().empty());
  LogEvent(LogLevel::kWarn, "enabled", [&](LogFields&) { built = true; });
  EXPECT_TRUE(built);
  EXPECT_EQ(log.LastText(), "warn enabled\n");
}

TEST(LogEvent, LeavesPlainSpdlogCallsAsTheyWere) {
  const KeptLog log(LogFormat::kText);
  spdlog::info("listening on {}", "127.0.0.1:50051");
  EXPECT_EQ(log.LastText(), "info listening on 127.0.0.1:50051\n");
}

}  // namespace
}  // namespace lanekeeper
