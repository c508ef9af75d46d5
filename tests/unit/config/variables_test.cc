// Variables of the environment that go before the file, and where each value comes from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "config/field_reader.h"
#include "config/read_config.h"
#include "tests/unit/config/config_equality.h"
#include "tests/unit/config/config_testing.h"
#include "tests/unit/config/key_paths.h"

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ConfigResult LoadWith(std::map<std::string, std::string> variables,
                      const std::string& text = kRequired) {
  return LoadConfigText(text, "test.yaml", FakeEnvironment(std::move(variables)));
}

TEST(VariablesTest, AVariableGoesBeforeTheFile) {
  const ConfigResult result = LoadWith(
      {{"LANEKEEPER_UPSTREAM_ADDRESS", "other:1"}, {"LANEKEEPER_UPSTREAM_KEEPALIVE_TIME", "42s"}});
  ASSERT_TRUE(result.config);
  EXPECT_EQ(result.config->upstream.address, "other:1");
  EXPECT_EQ(result.config->upstream.keepalive.time, std::chrono::seconds(42));
}

TEST(VariablesTest, ARequiredKeyMayBeInTheEnvironmentAlone) {
  const std::string listen = "listen:\n  - address: 127.0.0.1:50051\n";
  const ConfigResult result = LoadWith({{"LANEKEEPER_UPSTREAM_ADDRESS", "other:1"}}, listen);
  ASSERT_TRUE(result.config) << Printed(result).front();
  EXPECT_EQ(result.config->upstream.address, "other:1");
}

TEST(VariablesTest, AnEmptyVariableIsNone) {
  const ConfigResult result = LoadWith({{"LANEKEEPER_UPSTREAM_ADDRESS", ""}});
  ASSERT_TRUE(result.config);
  EXPECT_EQ(result.config->upstream.address, "orders:50052");
}

TEST(VariablesTest, DollarSignsOfAVariableStayAsTheyAre) {
  const ConfigResult result = LoadWith({{"LANEKEEPER_UPSTREAM_AUTHORITY", "a$b"}});
  ASSERT_TRUE(result.config) << Printed(result).front();
  EXPECT_EQ(result.config->upstream.authority, "a$b");
}

TEST(VariablesTest, WhatIsWrongIsToldWithTheVariable) {
  EXPECT_THAT(Printed(LoadWith({{"LANEKEEPER_DRAIN_TIMEOUT", "25"}})),
              ElementsAre(StartsWith("$LANEKEEPER_DRAIN_TIMEOUT: drain.timeout: the unit is "
                                     "missing")));
}

TEST(VariablesTest, EveryKeyOutsideOfListsHasOne) {
  const auto keys = KeysOf(LeavesOf(YAML::LoadFile(ConfigDir() + "/reference.yaml")));
  int with_variable = 0;
  for (const std::string& key : keys) {
    if (key.find('[') != key.npos || key == "limits.methods") continue;
    const std::string variable = *VariableOf(key);
    EXPECT_THAT(Printed(LoadWith({{variable, "\x01"}})),
                ::testing::Contains(HasSubstr("$" + variable + ": " + key + ": ")));
    ++with_variable;
  }
  EXPECT_EQ(with_variable, 38);
}

TEST(OriginsTest, PrintingTellsWhereEachValueComesFrom) {
  const ConfigResult result =
      LoadWith({{"LANEKEEPER_LOG_LEVEL", "debug"}},
               "listen:\n- address: 127.0.0.1:1\n- {address: '127.0.0.1:2', mode: auto}\n"
               "upstream: {address: orders:1}\n"
               "limits:\n  methods:\n  - match: /a.B/*\n    open_rpcs: 3\n");
  ASSERT_TRUE(result.config) << Printed(result).front();
  Origins origins = result.origins;
  origins["log.format"] = "--log-format";
  const std::string printed = PrintConfig(*result.config, origins);
  for (const char* line :
       {"listen:\n  - address: \"127.0.0.1:1\"  # test.yaml:2:12\n    mode: auto  # default\n",
        "  - address: \"127.0.0.1:2\"  # test.yaml:3:13\n    mode: auto  # test.yaml:3:34\n",
        "      client_names: any  # default\nupstream:\n  address: \"orders:1\"  # "
        "test.yaml:4:21\n",
        "    - match: \"/a.B/*\"  # test.yaml:7:12\n      open_rpcs: 3  # test.yaml:8:16\n",
        "log:\n  level: debug  # $LANEKEEPER_LOG_LEVEL\n  format: text  # --log-format\n"}) {
    EXPECT_THAT(printed, HasSubstr(line));
  }
  const ConfigResult again = Load(printed);
  ASSERT_TRUE(again.config);
  EXPECT_TRUE(SameConfig(*again.config, *result.config));
}

}  // namespace
}  // namespace lanekeeper
