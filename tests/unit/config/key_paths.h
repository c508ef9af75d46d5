// Lists the leaves of YAML and JSON documents as the loader names keys: "upstream.keepalive.time",
// "listen[].address". Any thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>

namespace lanekeeper {

inline std::string JoinPath(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

inline void AddLeaves(const YAML::Node& node, const std::string& path,
                      std::map<std::string, YAML::Node>* leaves) {
  if (node.IsMap()) {
    for (const auto& pair : node) {
      AddLeaves(pair.second, JoinPath(path, pair.first.Scalar()), leaves);
    }
  } else if (node.IsSequence() && node.size() > 0) {
    for (const YAML::Node& entry : node) AddLeaves(entry, path + "[]", leaves);
  } else {
    leaves->emplace(path, node);
  }
}

// Every scalar of a configuration.
inline std::map<std::string, YAML::Node> LeavesOf(const YAML::Node& document) {
  std::map<std::string, YAML::Node> leaves;
  AddLeaves(document, "", &leaves);
  return leaves;
}

inline void AddSchemaLeaves(const YAML::Node& schema, const std::string& path,
                            std::map<std::string, YAML::Node>* leaves) {
  if (schema["properties"]) {
    for (const auto& pair : schema["properties"]) {
      AddSchemaLeaves(pair.second, JoinPath(path, pair.first.Scalar()), leaves);
    }
  } else if (schema["items"] && !schema["default"]) {
    AddSchemaLeaves(schema["items"], path + "[]", leaves);
  } else {
    leaves->emplace(path, schema);
  }
}

// Every property of a JSON Schema that has none of its own, with its schema. A list that may be
// empty is one, as the reference shows it.
inline std::map<std::string, YAML::Node> SchemaLeavesOf(const YAML::Node& schema) {
  std::map<std::string, YAML::Node> leaves;
  AddSchemaLeaves(schema, "", &leaves);
  return leaves;
}

template <class Map>
std::set<std::string> KeysOf(const Map& map) {
  std::set<std::string> keys;
  for (const auto& pair : map) keys.insert(pair.first);
  return keys;
}

}  // namespace lanekeeper
