// Holds schema.json to the reference and to what the loader takes. JSON is YAML, so yaml-cpp reads
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "config_testing.h"
#include "key_paths.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

YAML::Node Schema() { return YAML::LoadFile(ConfigDir() + "/schema.json"); }

std::map<std::string, YAML::Node> ReferenceLeaves() {
  return LeavesOf(YAML::LoadFile(ConfigDir() + "/reference.yaml"));
}

// What the loader says when one key of the reference has another value.
std::vector<std::string> ProblemsWith(const std::string& path, const std::string& value) {
  YAML::Node document = YAML::LoadFile(ConfigDir() + "/reference.yaml");
  YAML::Node node = document;
  std::string rest = path;
  for (size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    node.reset(node[rest.substr(0, dot)]);
    rest.erase(0, dot + 1);
  }
  node[rest] = value;
  return ProblemsOf(YAML::Dump(document));
}

// The alternatives of a leaf, references resolved; the variable's is left out.
std::vector<YAML::Node> Alternatives(const YAML::Node& leaf) {
  std::vector<YAML::Node> alternatives;
  for (const YAML::Node& alternative : leaf["anyOf"]) {
    const std::string reference = alternative["$ref"].as<std::string>("");
    if (reference.empty()) alternatives.push_back(alternative);
    if (reference.empty() || reference == "#/$defs/variable") continue;
    const std::string prefix = "#/$defs/";
    EXPECT_EQ(reference.substr(0, prefix.size()), prefix);
    alternatives.push_back(Schema()["$defs"][reference.substr(prefix.size())]);
  }
  return alternatives;
}

void ExpectObjectsAreClosed(const YAML::Node& schema, const std::string& path, int* objects) {
  if (schema["items"]) ExpectObjectsAreClosed(schema["items"], path + "[]", objects);
  if (!schema["properties"]) return;
  ++*objects;
  EXPECT_EQ(schema["type"].as<std::string>(""), "object") << path;
  EXPECT_FALSE(schema["additionalProperties"].as<bool>(true)) << path;
  for (const auto& pair : schema["properties"]) {
    ExpectObjectsAreClosed(pair.second, JoinPath(path, pair.first.Scalar()), objects);
  }
}

TEST(SchemaTest, HasTheKeysOfTheReference) {
  EXPECT_EQ(KeysOf(SchemaLeavesOf(Schema())), KeysOf(ReferenceLeaves()));
  EXPECT_EQ(Schema()["$schema"].as<std::string>(), "https://json-schema.org/draft/2020-12/schema");
}

TEST(SchemaTest, RefusesUnknownKeysEverywhere) {
  int objects = 0;
  ExpectObjectsAreClosed(Schema(), "", &objects);
  // The root, ten below it counting listen's entries, keepalive, queue, tls twice, and the entries
  // of methods.
  EXPECT_EQ(objects, 16);
}

TEST(SchemaTest, RequiresWhatTheLoaderRequires) {
  using Keys = std::vector<std::string>;
  const YAML::Node schema = Schema();
  const YAML::Node properties = schema["properties"];
  EXPECT_THAT(schema["required"].as<Keys>(), ElementsAre("listen", "upstream"));
  EXPECT_THAT(properties["upstream"]["required"].as<Keys>(), ElementsAre("address"));
  const YAML::Node listen = properties["listen"]["items"];
  EXPECT_THAT(listen["required"].as<Keys>(), ElementsAre("address"));
  EXPECT_THAT(listen["properties"]["tls"]["required"].as<Keys>(),
              ElementsAre("certificate", "key"));
  EXPECT_THAT(properties["upstream"]["properties"]["tls"]["required"].as<Keys>(),
              ElementsAre("ca"));
  EXPECT_EQ(properties["listen"]["minItems"].as<int>(), 1);
}

TEST(SchemaTest, DefaultsAreTheReferences) {
  const auto reference = ReferenceLeaves();
  int defaults = 0;
  for (const auto& [path, leaf] : SchemaLeavesOf(Schema())) {
    if (!leaf["default"]) continue;
    EXPECT_EQ(leaf["default"].Scalar(), reference.at(path).Scalar()) << path;
    ++defaults;
  }
  EXPECT_EQ(defaults, 43);  // all but listen and upstream.address
}

TEST(SchemaTest, NamedValuesLoadAndOthersDoNot) {
  int named_keys = 0;
  for (const auto& [path, leaf] : SchemaLeavesOf(Schema())) {
    for (const YAML::Node& alternative : Alternatives(leaf)) {
      if (!alternative["enum"]) continue;
      ++named_keys;
      for (const YAML::Node& name : alternative["enum"]) {
        EXPECT_THAT(ProblemsWith(path, name.Scalar()), IsEmpty()) << path << ": " << name;
      }
      EXPECT_THAT(ProblemsWith(path, "Nonsense"), SizeIs(1)) << path;
    }
  }
  EXPECT_EQ(named_keys, 11);
}

// The loader's message lists the names it takes; the schema must offer just those.
TEST(SchemaTest, NoNamedValueIsLeftOut) {
  const std::map<std::string, std::string> expected = {
      {"upstream.load_balancing", "pick_first or round_robin"},
      {"rpc_threads.kind", "user or kernel"},
      {"log.level", "trace, debug, info, warn or error"},
      {"stuck.action", "report or cancel"},
      {"log.format", "text or json"},
      {"log.access", "off, errors or all"}};
  const auto leaves = SchemaLeavesOf(Schema());
  for (const auto& [path, names] : expected) {
    const YAML::Node offered = Alternatives(leaves.at(path)).at(0)["enum"];
    std::string joined;
    for (size_t i = 0; i < offered.size(); ++i) {
      joined += i == 0 ? "" : i + 1 == offered.size() ? " or " : ", ";
      joined += offered[i].Scalar();
    }
    EXPECT_EQ(joined, names);
    EXPECT_THAT(ProblemsWith(path, "Nonsense"),
                ElementsAre(testing::EndsWith(": expected " + joined + ", found 'Nonsense'")));
  }
}

TEST(SchemaTest, RangesAreTheLoaders) {
  int ranges = 0;
  for (const auto& [path, leaf] : SchemaLeavesOf(Schema())) {
    for (const YAML::Node& alternative : Alternatives(leaf)) {
      if (alternative["type"].as<std::string>("") != "integer") continue;
      ++ranges;
      const int64_t low = alternative["minimum"].as<int64_t>();
      const int64_t high = alternative["maximum"].as<int64_t>();
      EXPECT_THAT(ProblemsWith(path, std::to_string(low)), IsEmpty()) << path;
      EXPECT_THAT(ProblemsWith(path, std::to_string(high)), IsEmpty()) << path;
      EXPECT_THAT(ProblemsWith(path, std::to_string(low - 1)), SizeIs(1)) << path;
      EXPECT_THAT(ProblemsWith(path, std::to_string(high + 1)), SizeIs(1)) << path;
    }
  }
  EXPECT_EQ(ranges, 8);
}

TEST(SchemaTest, EntriesOfMethodsAreTheLoaders) {
  const YAML::Node entry = Schema()["properties"]["limits"]["properties"]["methods"]["items"];
  EXPECT_THAT(entry["required"].as<std::vector<std::string>>(), ElementsAre("match", "open_rpcs"));
  const YAML::Node range = Alternatives(entry["properties"]["open_rpcs"]).at(0);
  const auto with = [](const std::string& number) {
    return ProblemsOf(
        WithRequired("limits: {methods: [{match: '*', open_rpcs: " + number + "}]}\n"));
  };
  EXPECT_THAT(with(range["minimum"].Scalar()), IsEmpty());
  EXPECT_THAT(with(range["maximum"].Scalar()), IsEmpty());
  EXPECT_THAT(with(std::to_string(range["minimum"].as<int64_t>() - 1)), SizeIs(1));
  EXPECT_THAT(with(std::to_string(range["maximum"].as<int64_t>() + 1)), SizeIs(1));
}

TEST(SchemaTest, BooleansAreTheLoaders) {
  int booleans = 0;
  for (const auto& [path, leaf] : SchemaLeavesOf(Schema())) {
    for (const YAML::Node& alternative : Alternatives(leaf)) {
      if (alternative["type"].as<std::string>("") != "boolean") continue;
      ++booleans;
      EXPECT_THAT(ProblemsWith(path, "true"), IsEmpty()) << path;
      EXPECT_THAT(ProblemsWith(path, "maybe"), SizeIs(1)) << path;
    }
  }
  EXPECT_EQ(booleans, 4);
}

// Whether the text is as long and of the form a string's schema asks for.
bool Fits(const std::string& text, const YAML::Node& schema) {
  return text.size() >= schema["minLength"].as<size_t>(0) &&
         testing::Matches(testing::ContainsRegex(schema["pattern"].as<std::string>()))(text);
}

TEST(SchemaTest, DurationPatternAgreesWithTheLoader) {
  const YAML::Node schema = Schema()["$defs"]["duration"]["anyOf"][1];
  for (const char* text : {"250ms", "30s", "5m", "1h", "1m30s", "1h2m3s4ms", "0s", "", "30", "s",
                           "30s1m", "1.5s", "-5s", "30 s", "5min", "1s1s"}) {
    EXPECT_EQ(Fits(text, schema), ProblemsWith("drain.timeout", text).empty()) << text;
  }
}

TEST(SchemaTest, SizePatternAgreesWithTheLoader) {
  const YAML::Node schema = Schema()["$defs"]["size"];
  for (const char* text :
       {"512B", "64KiB", "4MiB", "1GiB", "4MB", "", "64", "KiB", "1.5MiB", "-1B", "4 MiB"}) {
    EXPECT_EQ(Fits(text, schema), ProblemsWith("limits.message_size", text).empty()) << text;
  }
}

TEST(SchemaTest, EveryKeyMayHoldAVariable) {
  for (const auto& [path, leaf] : SchemaLeavesOf(Schema())) {
    // Any text will do, or one alternative is a text that holds a variable.
    if (leaf["type"].as<std::string>("") == "array") continue;
    bool takes_variable = leaf["type"].as<std::string>("") == "string" && !leaf["pattern"];
    for (const YAML::Node& alternative : leaf["anyOf"]) {
      if (alternative["$ref"].as<std::string>("") == "#/$defs/variable") takes_variable = true;
    }
    EXPECT_TRUE(takes_variable) << path;
  }
}

}  // namespace
}  // namespace lanekeeper
