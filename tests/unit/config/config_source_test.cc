#include "config/config_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "config_testing.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A file that can be written anew.
class ConfigSourceTest : public testing::Test {
 protected:
  ~ConfigSourceTest() override { std::remove(path_.c_str()); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }

  const std::string path_ = testing::TempDir() + "config_source." + std::to_string(getpid());
  ConfigSource source_{path_, FakeEnvironment({{"MAX", "7"}, {"SECRET", "hush"}}), {}};
};

TEST_F(ConfigSourceTest, ReadsTheFileAsItIsNow) {
  Write(WithRequired("limits: {open_rpcs: 5}\n"));
  EXPECT_EQ(source_.Load().config->limits.open_rpcs, 5);
  Write(WithRequired("limits: {open_rpcs: 6}\n"));
  EXPECT_EQ(source_.Load().config->limits.open_rpcs, 6);
  Write(WithRequired("limits: {open_rpcs: 0}\n"));
  EXPECT_FALSE(source_.Load().config);
}

TEST_F(ConfigSourceTest, FlagsWinOverTheFileAndOverATextEveryTime) {
  ConfigSource source(path_, FakeEnvironment(),
                      [](Config& config) { config.log.level = LogLevel::kError; });
  Write(WithRequired("log: {level: debug}\n"));
  EXPECT_EQ(source.Load().config->log.level, LogLevel::kError);
  EXPECT_EQ(source.Load().config->log.level, LogLevel::kError);
  EXPECT_EQ(source.LoadText(WithRequired(""), "x.yaml").config->log.level, LogLevel::kError);
}

TEST_F(ConfigSourceTest, ATextHasTheFilesVariablesAndNoOthers) {
  Write(WithRequired("limits: {open_rpcs: \"${MAX}\"}\n"));
  EXPECT_EQ(source_.Load().config->limits.open_rpcs, 7);
  const std::string known = WithRequired("limits: {upstream_waiting: \"${MAX}\"}\n");
  EXPECT_EQ(source_.LoadText(known, "x.yaml").config->limits.upstream_waiting, 7);
  const std::string curious = WithRequired("log: {level: \"${SECRET}\"}\n");
  EXPECT_THAT(Printed(source_.LoadText(curious, "x.yaml")),
              ElementsAre(HasSubstr("the environment variable SECRET is not set")));
}

TEST_F(ConfigSourceTest, ProblemsOfATextCarryItsName) {
  Write(WithRequired(""));
  source_.Load();
  EXPECT_THAT(Printed(source_.LoadText(WithRequired("limit: {}\n"), "new.yaml")),
              ElementsAre(testing::StartsWith("new.yaml:6:1: unknown key 'limit'")));
}

}  // namespace
}  // namespace lanekeeper
