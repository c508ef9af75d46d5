#include "config/diff.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "config/load.h"

namespace lanekeeper {
namespace {

using Effect = ChangeEffect;

// A row for each key there is. limits.metadata_size and its like are told to a peer when it
// connects.
constexpr auto kEffects =
    std::to_array<Named<Effect>>({{"listen[].address", Effect::kNewConnections},
                                  {"listen[].mode", Effect::kRestart},
                                  {"listen[].tls.certificate", Effect::kNewConnections},
                                  {"listen[].tls.key", Effect::kNewConnections},
                                  {"listen[].tls.client_ca", Effect::kNewConnections},
                                  {"listen[].tls.client_names", Effect::kNewConnections},
                                  {"upstream.address", Effect::kNewRpcs},
                                  {"upstream.tls.ca", Effect::kNewRpcs},
                                  {"upstream.tls.certificate", Effect::kNewRpcs},
                                  {"upstream.tls.key", Effect::kNewRpcs},
                                  {"upstream.tls.server_name", Effect::kNewRpcs},
                                  {"upstream.load_balancing", Effect::kNewRpcs},
                                  {"upstream.authority", Effect::kNewRpcs},
                                  {"upstream.wait_for_ready", Effect::kNewRpcs},
                                  {"upstream.keepalive.time", Effect::kAtOnce},
                                  {"upstream.keepalive.timeout", Effect::kAtOnce},
                                  {"rpc_threads.kind", Effect::kRestart},
                                  {"rpc_threads.workers", Effect::kRestart},
                                  {"upstream.resolve_interval", Effect::kAtOnce},
                                  {"upstream.max_age", Effect::kNewConnections},
                                  {"upstream.connections", Effect::kAtOnce},
                                  {"limits.connections", Effect::kNewConnections},
                                  {"limits.open_rpcs", Effect::kNewRpcs},
                                  {"limits.queue.length", Effect::kNewRpcs},
                                  {"limits.queue.timeout", Effect::kNewRpcs},
                                  {"limits.streams_per_connection", Effect::kNewRpcs},
                                  {"limits.methods", Effect::kNewRpcs},
                                  {"limits.methods[].match", Effect::kNewRpcs},
                                  {"limits.methods[].open_rpcs", Effect::kNewRpcs},
                                  {"limits.buffered_bytes", Effect::kAtOnce},
                                  {"limits.upstream_waiting", Effect::kNewRpcs},
                                  {"limits.message_size", Effect::kNewRpcs},
                                  {"limits.metadata_size", Effect::kNewConnections},
                                  {"limits.response_metadata_size", Effect::kNewConnections},
                                  {"stuck.after", Effect::kAtOnce},
                                  {"stuck.silent_after", Effect::kAtOnce},
                                  {"stuck.action", Effect::kAtOnce},
                                  {"drain.timeout", Effect::kAtOnce},
                                  {"reload.watch", Effect::kAtOnce},
                                  {"metrics.address", Effect::kRestart},
                                  {"metrics.max_methods", Effect::kNewRpcs},
                                  {"admin.address", Effect::kRestart},
                                  {"admin.allow_remote", Effect::kRestart},
                                  {"admin.read_only", Effect::kRestart},
                                  {"log.level", Effect::kAtOnce},
                                  {"log.format", Effect::kAtOnce},
                                  {"log.access", Effect::kAtOnce}});

// A key with its value as printed.
struct Leaf {
  std::string key;    // "listen[127.0.0.1:80].address"
  std::string asked;  // "listen[].address"
  std::string value;
};
using Leaves = std::vector<Leaf>;

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : fmt::format("{}.{}", path, key);
}

// "[a, b]", for lists of plain values.
std::string Flow(const YAML::Node& list) {
  std::vector<std::string> values;
  for (const YAML::Node& value : list) values.push_back(value.Scalar());
  return fmt::format("[{}]", fmt::join(values, ", "));
}

// Unlike any other in the list: of equal ones (port 0, say) the later get a number.
std::string NameOfEntry(const YAML::Node& entry, const std::vector<std::string>& taken) {
  const std::string name = entry.begin()->second.Scalar();
  std::string unique = name;
  for (int number = 2; std::find(taken.begin(), taken.end(), unique) != taken.end(); ++number) {
    unique = fmt::format("{}#{}", name, number);
  }
  return unique;
}

void AddLeaves(const YAML::Node& node, const std::string& key, const std::string& asked,
               Leaves& leaves) {
  if (node.IsMap()) {
    for (const auto& pair : node) {
      AddLeaves(pair.second, Join(key, pair.first.Scalar()), Join(asked, pair.first.Scalar()),
                leaves);
    }
  } else if (node.IsSequence() && node.size() > 0 && node[0].IsMap()) {
    std::vector<std::string> names;
    for (const YAML::Node& entry : node) {
      names.push_back(NameOfEntry(entry, names));
      AddLeaves(entry, fmt::format("{}[{}]", key, names.back()), asked + "[]", leaves);
    }
  } else {
    leaves.push_back({key, asked, node.IsSequence() ? Flow(node) : node.Scalar()});
  }
}

Leaves LeavesOf(const Config& config) {
  Leaves leaves;
  AddLeaves(YAML::Load(PrintConfig(config)), "", "", leaves);
  return leaves;
}

const Leaf* Find(const Leaves& leaves, const std::string& key) {
  const auto found =
      std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& leaf) { return leaf.key == key; });
  return found == leaves.end() ? nullptr : &*found;
}

ConfigChange ChangeOf(const Leaf& leaf, std::optional<std::string> before,
                      std::optional<std::string> after) {
  // A test holds the table to the keys; what it misses all the same is safe with a restart.
  return {leaf.key, std::move(before), std::move(after),
          EffectOf(leaf.asked).value_or(Effect::kRestart)};
}

// What a listener says that is only given its address.
Leaves PlainListener() {
  Config config;
  config.listen.emplace_back();
  return LeavesOf(config);
}

// Of an entry that has come or gone: what it says beyond its address, if that is not the default.
std::optional<ConfigChange> ChangeOfEntry(const Leaf& leaf, const Leaves& plain,
                                          std::optional<std::string> before,
                                          std::optional<std::string> after) {
  ConfigChange change = ChangeOf(leaf, std::move(before), std::move(after));
  if (!leaf.asked.starts_with("listen[].")) return change;
  change.effect = Effect::kNewConnections;
  const bool is_default = std::any_of(plain.begin(), plain.end(), [&](const Leaf& one) {
    return one.asked == leaf.asked && one.value == leaf.value;
  });
  if (is_default) return std::nullopt;
  return change;
}

}  // namespace

std::vector<ConfigChange> Diff(const Config& before, const Config& after) {
  const Leaves old_leaves = LeavesOf(before);
  const Leaves new_leaves = LeavesOf(after);
  const Leaves plain = PlainListener();
  std::vector<ConfigChange> changes;
  for (const Leaf& leaf : new_leaves) {
    const Leaf* old_leaf = Find(old_leaves, leaf.key);
    if (old_leaf == nullptr) {
      if (auto change = ChangeOfEntry(leaf, plain, std::nullopt, leaf.value))
        changes.push_back(*change);
    } else if (old_leaf->value != leaf.value) {
      changes.push_back(ChangeOf(leaf, old_leaf->value, leaf.value));
    }
  }
  for (const Leaf& leaf : old_leaves) {
    if (Find(new_leaves, leaf.key) != nullptr) continue;
    if (auto change = ChangeOfEntry(leaf, plain, leaf.value, std::nullopt))
      changes.push_back(*change);
  }
  return changes;
}

std::optional<ChangeEffect> EffectOf(std::string_view key) { return ValueOf(kEffects, key); }

Config WithoutRestart(const Config& before, Config after) {
  after.rpc_threads = before.rpc_threads;
  after.metrics.address = before.metrics.address;
  after.admin = before.admin;
  for (ListenConfig& one : after.listen) {
    for (const ListenConfig& known : before.listen) {
      if (known.address == one.address) one.mode = known.mode;
    }
  }
  return after;
}

}  // namespace lanekeeper
