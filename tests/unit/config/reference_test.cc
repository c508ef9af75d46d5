// Holds the shipped YAML files to the code, so that neither changes alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>

#include "config/field_reader.h"
#include "config/read_config.h"
#include "config_equality.h"
#include "config_testing.h"
#include "key_paths.h"

namespace lanekeeper {
namespace {

using testing::IsEmpty;

const std::string& ReferencePath() {
  static const std::string path = ConfigDir() + "/reference.yaml";
  return path;
}

// Every key the loader asks for while it reads the reference.
std::set<std::string> KeysTheLoaderAsksFor() {
  Findings findings("reference.yaml");
  const Environment environment = FakeEnvironment();
  FieldReader::ReadDocument(YAML::LoadFile(ReferencePath()), environment, findings,
                            [](FieldReader& root) { ReadConfig(root); });
  return findings.asked();
}

// Maps are asked for as well as what is in them; only leaves compare.
std::set<std::string> WithoutParents(const std::set<std::string>& keys) {
  std::set<std::string> leaves;
  for (const std::string& key : keys) {
    const auto below = [&key](const std::string& other) {
      return other.starts_with(key + ".") || other.starts_with(key + "[]");
    };
    if (std::none_of(keys.begin(), keys.end(), below)) leaves.insert(key);
  }
  return leaves;
}

TEST(ReferenceTest, EveryValueShownIsTheDefault) {
  const ConfigResult result = LoadConfigFile(ReferencePath(), FakeEnvironment());
  ASSERT_THAT(Printed(result), IsEmpty());
  Config defaults;
  defaults.listen = {{result.config->listen[0].address}};
  defaults.upstream.address = result.config->upstream.address;
  EXPECT_TRUE(SameConfig(*result.config, defaults)) << PrintConfig(*result.config);
}

TEST(ReferenceTest, RequiredKeysShowExamples) {
  const ConfigResult result = LoadConfigFile(ReferencePath(), FakeEnvironment());
  ASSERT_TRUE(result.config);
  ASSERT_EQ(result.config->listen.size(), 1u);
  EXPECT_EQ(result.config->listen[0].address, "127.0.0.1:50051");
  EXPECT_EQ(result.config->upstream.address, "dns:///orders.shop.svc:50051");
}

TEST(ReferenceTest, ShowsEveryKeyThereIsAndNoOther) {
  const auto shown = KeysOf(LeavesOf(YAML::LoadFile(ReferencePath())));
  EXPECT_EQ(shown, WithoutParents(KeysTheLoaderAsksFor()));
  EXPECT_EQ(shown.size(), 45u);
}

TEST(ReferenceTest, PrintingShowsTheSameKeys) {
  const ConfigResult result = LoadConfigFile(ReferencePath(), FakeEnvironment());
  ASSERT_TRUE(result.config);
  EXPECT_EQ(KeysOf(LeavesOf(YAML::Load(PrintConfig(*result.config)))),
            KeysOf(LeavesOf(YAML::LoadFile(ReferencePath()))));
}

TEST(ReferenceTest, ValuesAreWrittenAsPrintingWritesThem) {
  const ConfigResult result = LoadConfigFile(ReferencePath(), FakeEnvironment());
  ASSERT_TRUE(result.config);
  const auto printed = LeavesOf(YAML::Load(PrintConfig(*result.config)));
  for (const auto& [key, shown] : LeavesOf(YAML::LoadFile(ReferencePath()))) {
    EXPECT_EQ(shown.Scalar(), printed.at(key).Scalar()) << key;
  }
}

TEST(ReferenceTest, EveryKeyIsExplained) {
  std::ifstream file(ReferencePath());
  ASSERT_TRUE(file.is_open());
  bool explained = false;
  int keys = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t start = line.find_first_not_of(" -");
    if (start == std::string::npos) continue;
    const bool opens_map = line.back() == ':';
    if (line[start] == '#') {
      explained = true;
    } else if (!opens_map) {
      EXPECT_TRUE(explained) << line;
      explained = false;
      ++keys;
    }
  }
  EXPECT_EQ(keys, 45);
}

TEST(ReferenceTest, MinimalFileHoldsTheRequiredKeysOnly) {
  const std::string path = ConfigDir() + "/minimal.yaml";
  const ConfigResult result = LoadConfigFile(path, FakeEnvironment());
  ASSERT_THAT(Printed(result), IsEmpty());
  Config expected;
  expected.listen = {{"127.0.0.1:50051"}};
  expected.upstream.address = "127.0.0.1:50052";
  EXPECT_TRUE(SameConfig(*result.config, expected)) << PrintConfig(*result.config);
  EXPECT_THAT(KeysOf(LeavesOf(YAML::LoadFile(path))),
              testing::ElementsAre("listen[].address", "upstream.address"));
}

}  // namespace
}  // namespace lanekeeper
