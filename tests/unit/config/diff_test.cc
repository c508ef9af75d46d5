// Every key of reference.yaml with another value: what the diff says, and what a reload keeps.
#include "config/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "config_testing.h"
#include "key_paths.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Another good value for each key, as it is printed.
const std::map<std::string, std::string>& OtherValues() {
  static const std::map<std::string, std::string> values = {
      {"listen[].address", "127.0.0.1:50061"},
      {"upstream.address", "dns:///other.shop.svc:50051"},
      {"upstream.load_balancing", "round_robin"},
      {"upstream.authority", "orders.example"},
      {"upstream.wait_for_ready", "true"},
      {"upstream.keepalive.time", "6m"},
      {"upstream.keepalive.timeout", "21s"},
      {"rpc_threads.kind", "kernel"},
      {"rpc_threads.workers", "2"},
      {"upstream.resolve_interval", "30s"},
      {"upstream.max_age", "1h"},
      {"upstream.connections", "2"},
      {"limits.connections", "10001"},
      {"limits.open_rpcs", "10001"},
      {"limits.queue.length", "1"},
      {"limits.queue.timeout", "1s"},
      {"limits.streams_per_connection", "100"},
      {"limits.buffered_bytes", "65MiB"},
      {"limits.upstream_waiting", "10001"},
      {"limits.message_size", "4MiB"},
      {"limits.metadata_size", "8KiB"},
      {"limits.response_metadata_size", "8KiB"},
      {"stuck.after", "31s"},
      {"stuck.silent_after", "1m"},
      {"stuck.action", "cancel"},
      {"drain.timeout", "26s"},
      {"reload.watch", "false"},
      {"metrics.address", "0.0.0.0:9474"},
      {"metrics.max_methods", "201"},
      {"admin.address", "127.0.0.1:9475"},
      {"admin.allow_remote", "true"},
      {"admin.read_only", "true"},
      {"log.level", "debug"},
      {"log.format", "json"},
      {"log.access", "all"}};
  return values;
}

YAML::Node Reference() { return YAML::LoadFile(ConfigDir() + "/reference.yaml"); }

// The reference with one key changed.
Config With(const std::string& key, const std::string& value) {
  YAML::Node document = Reference();
  if (key.starts_with("listen[].")) {
    document["listen"][0][key.substr(9)] = value;
  } else {
    YAML::Node node = document;
    std::string rest = key;
    for (size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
      node.reset(node[rest.substr(0, dot)]);
      rest.erase(0, dot + 1);
    }
    node[rest] = value;
  }
  const ConfigResult result = Load(YAML::Dump(document));
  EXPECT_THAT(Printed(result), IsEmpty()) << key;
  return result.config.value_or(Config{});
}

Config Unchanged() { return *Load(YAML::Dump(Reference())).config; }

// Keys whose other values want more than one key at once, or files; see below.
bool HasATestOfItsOwn(const std::string& key) {
  return key.find(".tls.") != key.npos || key == "listen[].mode" || key == "limits.methods";
}

TEST(DiffTest, EveryKeyOfTheReferenceHasAnEffectAndATest) {
  for (const auto& [key, leaf] : LeavesOf(Reference())) {
    EXPECT_TRUE(EffectOf(key)) << key;
    EXPECT_TRUE(HasATestOfItsOwn(key) || OtherValues().contains(key)) << key;
  }
}

std::vector<std::string> KeysOf(const std::vector<ConfigChange>& changes) {
  std::vector<std::string> keys;
  for (const ConfigChange& change : changes) keys.push_back(change.key);
  return keys;
}

TEST(DiffTest, TlsOfAListenerIsForNewConnectionsAndItsModeForARestart) {
  const Config before = Unchanged();
  Config after = before;
  after.listen[0].mode = 0660;
  after.listen[0].tls = {"a.crt", "a.key", "ca.crt", {"web.shop", "10.0.0.1"}};
  const auto changes = Diff(before, after);
  const std::string entry = "listen[127.0.0.1:50051].";
  EXPECT_THAT(KeysOf(changes),
              ElementsAre(entry + "mode", entry + "tls.certificate", entry + "tls.key",
                          entry + "tls.client_ca", entry + "tls.client_names"));
  for (const ConfigChange& change : changes) {
    EXPECT_EQ(change.effect, change.key == entry + "mode" ? ChangeEffect::kRestart
                                                          : ChangeEffect::kNewConnections);
  }
  EXPECT_EQ(changes.back().after, "[web.shop, 10.0.0.1]");
  EXPECT_THAT(KeysOf(Diff(before, WithoutRestart(before, after))), SizeIs(4));
}

TEST(DiffTest, TlsToTheUpstreamIsForNewRpcs) {
  Config after = Unchanged();
  after.upstream.tls = {"system", "a.crt", "a.key", "orders.shop.svc"};
  const auto changes = Diff(Unchanged(), after);
  EXPECT_THAT(KeysOf(changes), ElementsAre("upstream.tls.ca", "upstream.tls.certificate",
                                           "upstream.tls.key", "upstream.tls.server_name"));
  for (const ConfigChange& change : changes) EXPECT_EQ(change.effect, ChangeEffect::kNewRpcs);
}

TEST(DiffTest, EntriesOfMethodsAreForNewRpcs) {
  Config before = Unchanged();
  before.limits.methods = {{"/a.B/*", 1}, {"*", 9}};
  Config after = before;
  after.limits.methods = {{"/a.B/*", 2}};
  const auto changes = Diff(before, after);
  EXPECT_THAT(KeysOf(changes),
              ElementsAre("limits.methods[/a.B/*].open_rpcs", "limits.methods[*].match",
                          "limits.methods[*].open_rpcs"));
  for (const ConfigChange& change : changes) EXPECT_EQ(change.effect, ChangeEffect::kNewRpcs);
}

TEST(DiffTest, OneKeyThatChangedIsOneChangeWithBothValues) {
  for (const auto& [key, leaf] : LeavesOf(Reference())) {
    if (key.starts_with("listen[]") || HasATestOfItsOwn(key)) continue;
    const std::string& value = OtherValues().at(key);
    const auto changes = Diff(Unchanged(), With(key, value));
    ASSERT_THAT(changes, SizeIs(1)) << key;
    EXPECT_EQ(changes[0].key, key);
    EXPECT_EQ(changes[0].before, leaf.Scalar()) << key;
    EXPECT_EQ(changes[0].after, value) << key;
    EXPECT_EQ(changes[0].effect, EffectOf(key)) << key;
  }
}

// The table and the function that keeps values say the same.
TEST(DiffTest, OnlyWhatNeedsARestartIsKept) {
  const Config before = Unchanged();
  for (const auto& [key, value] : OtherValues()) {
    const Config after = With(key, value);
    const auto kept = Diff(WithoutRestart(before, after), after);
    EXPECT_EQ(!kept.empty(), EffectOf(key) == ChangeEffect::kRestart) << key;
    const auto taken = Diff(before, WithoutRestart(before, after));
    EXPECT_EQ(taken.empty(), EffectOf(key) == ChangeEffect::kRestart) << key;
  }
}

// A key, or the section that it is in; of a section that is named nothing changes without one.
TEST(DiffTest, TheReferenceNamesWhatNeedsARestart) {
  std::ifstream file(ConfigDir() + "/reference.yaml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("Only with a restart: (.*)\\.\n")));
  std::istringstream list(found[1]);
  std::set<std::string> named;
  for (std::string name; std::getline(list >> std::ws, name, ',');) named.insert(name);
  for (const auto& [key, leaf] : LeavesOf(Reference())) {
    const bool is_named = named.contains(key) || named.contains(key.substr(0, key.find('.')));
    EXPECT_EQ(is_named, EffectOf(key) == ChangeEffect::kRestart) << key;
  }
}

TEST(DiffTest, NothingChangedIsNoChange) {
  EXPECT_THAT(Diff(Unchanged(), Unchanged()), IsEmpty());
  EXPECT_EQ(EffectOf("limits.nonsense"), std::nullopt);
}

TEST(DiffTest, EntriesOfListsGoByTheirNamesWhateverTheirOrder) {
  Config before = Unchanged();
  before.listen = {{"[::1]:1"}, {"127.0.0.1:2"}, {"127.0.0.1:0"}, {"127.0.0.1:0"}};
  Config after = before;
  std::reverse(after.listen.begin(), after.listen.end());
  EXPECT_THAT(Diff(before, after), IsEmpty());
  after.listen = {{"127.0.0.1:3"}, {"127.0.0.1:2"}, {"127.0.0.1:0"}};
  const auto changes = Diff(before, after);
  EXPECT_THAT(KeysOf(changes), ElementsAre("listen[127.0.0.1:3].address", "listen[[::1]:1].address",
                                           "listen[127.0.0.1:0#2].address"));
  EXPECT_EQ(changes[0].before, std::nullopt);
  EXPECT_EQ(changes[0].after, "127.0.0.1:3");
  EXPECT_EQ(changes[1].before, "[::1]:1");
  EXPECT_EQ(changes[1].after, std::nullopt);
  for (const ConfigChange& change : changes) {
    EXPECT_EQ(change.effect, EffectOf("listen[].address"));
  }
}

}  // namespace
}  // namespace lanekeeper
