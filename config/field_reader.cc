#include "config/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "config/expand.h"
#include "config/nearest.h"
#include "config/quote.h"

namespace lanekeeper {
namespace {

Position PositionOf(const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

std::string Join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string Describe(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return node.IsScalar() ? Quote(node.Scalar()) : "nothing";
}

// "!secret x" or "!!int 5". yaml-cpp marks plain text with "?" and quoted text with "!".
bool HasTag(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  return !tag.empty() && tag != "?" && tag != "!";
}

// Why the node is not what its place calls for; empty if it is.
std::string Mismatch(const YAML::Node& node, YAML::NodeType::value wanted) {
  // We give tags no meaning, so nobody may believe that they have one.
  if (HasTag(node)) return fmt::format("tags such as {} are not supported", Quote(node.Tag()));
  if (node.Type() == wanted) return "";
  const std::string_view name = wanted == YAML::NodeType::Map        ? "a map"
                                : wanted == YAML::NodeType::Sequence ? "a list"
                                                                     : "a single value";
  return fmt::format("expected {}, found {}", name, Describe(node));
}

}  // namespace

void FieldReader::ReadDocument(const YAML::Node& root, const Environment& environment,
                               Findings& findings, const Body& body) {
  const Position at = root.IsNull() ? Position{1, 1} : PositionOf(root);
  const std::string why = root.IsNull()
                              ? "the file is empty, expected at least 'listen' and 'upstream'"
                              : Mismatch(root, YAML::NodeType::Map);
  if (!why.empty()) findings.AddProblem(at, why);
  FieldReader reader(environment, findings, "", "", at,
                     why.empty() ? State::kGiven : State::kBroken);
  reader.ReadMap(root, body);
}

void FieldReader::Require(std::string_view key) {
  if (state_ == State::kBroken) return;
  const auto given = [key](const auto& field) { return field.first == key; };
  if (std::any_of(fields_.begin(), fields_.end(), given) || FromEnvironment(key)) return;
  Refuse(PathOf(key), at_, "this required key is missing");
}

void FieldReader::Map(std::string_view key, const Body& body) {
  if (const Field* field = Find(key)) {
    return ReadMapAt(field->value, At(*field), PathOf(key), Join(asked_path_, key), body);
  }
  const State state = state_ == State::kBroken ? State::kBroken : State::kAbsent;
  FieldReader reader(environment_, findings_, PathOf(key), Join(asked_path_, key), at_, state);
  reader.ReadMap(YAML::Node(), body);
}

void FieldReader::MapList(std::string_view key, ListMay may, const Body& body) {
  const Field* field = Find(key);
  if (field == nullptr) return;
  const YAML::Node& list = field->value;
  std::string why = Mismatch(list, YAML::NodeType::Sequence);
  if (why.empty() && list.size() == 0 && may == ListMay::kNotBeEmpty) {
    why = "expected at least one entry, found an empty list";
  }
  if (!why.empty()) return Refuse(PathOf(key), At(*field), why);
  size_t index = 0;
  for (const YAML::Node& entry : list) {
    const std::string path = fmt::format("{}[{}]", PathOf(key), index);
    ReadMapAt(entry, PositionOf(entry), path, Join(asked_path_, key) + "[]", body);
    ++index;
  }
}

void FieldReader::ReadMapAt(const YAML::Node& node, const Position& at, const std::string& path,
                            const std::string& asked_path, const Body& body) {
  const std::string why = Mismatch(node, YAML::NodeType::Map);
  if (!why.empty()) Refuse(path, at, why);
  FieldReader reader(environment_, findings_, path, asked_path, at,
                     why.empty() ? State::kGiven : State::kBroken);
  reader.ReadMap(node, body);
}

void FieldReader::ReadMap(const YAML::Node& node, const Body& body) {
  if (state_ == State::kGiven) CollectFields(node);
  body(*this);
  ReportUnknownKeys();
}

void FieldReader::CollectFields(const YAML::Node& map) {
  std::map<std::string, int> first_lines;
  for (const auto& pair : map) {
    const Position at = PositionOf(pair.first);
    if (!pair.first.IsScalar()) {
      findings_.AddProblem(at, fmt::format("expected a key, found {}", Describe(pair.first)));
      continue;
    }
    const std::string& key = pair.first.Scalar();
    const auto [first, is_new] = first_lines.emplace(key, at.line);
    if (!is_new) {
      // YAML forbids it (spec 1.2.2 section 3.2.1.1), yet yaml-cpp keeps both and reads one.
      findings_.AddProblem(at, fmt::format("duplicate key {}, first given on line {}",
                                           Quote(Join(path_, key)), first->second));
      continue;
    }
    fields_.emplace_back(key, Field{at, pair.second});
  }
}

void FieldReader::ReportUnknownKeys() {
  for (const auto& [key, field] : fields_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    findings_.AddProblem(field.key_at, UnknownKeyMessage(key));
  }
}

std::string FieldReader::UnknownKeyMessage(const std::string& key) const {
  if (key == "<<") return "merge keys ('<<') are not supported";
  const std::string message = fmt::format("unknown key {}", Quote(Join(path_, key)));
  if (const std::optional<std::string> nearest = NearestName(key, known_)) {
    return fmt::format("{}, did you mean '{}'?", message, *nearest);
  }
  return fmt::format("{}, expected one of: {}", message, fmt::join(known_, ", "));
}

const FieldReader::Field* FieldReader::Find(std::string_view key) {
  known_.emplace_back(key);
  findings_.NoteAsked(Join(asked_path_, key));
  // What was not read cannot be trusted to be the default either.
  if (state_ == State::kBroken) findings_.NoteBad(PathOf(key));
  for (const auto& [name, field] : fields_) {
    if (name == key) return &field;
  }
  return nullptr;
}

std::optional<FieldReader::Scalar> FieldReader::ReadScalar(std::string_view key) {
  const Field* field = Find(key);
  if (std::optional<Scalar> scalar = FromEnvironment(key)) return scalar;
  if (field == nullptr) return std::nullopt;
  return ScalarOf(field->value, PathOf(key), At(*field));
}

std::optional<FieldReader::Scalar> FieldReader::FromEnvironment(std::string_view key) const {
  const std::string path = PathOf(key);
  const std::optional<std::string> variable = VariableOf(path);
  const std::optional<std::string> text = variable ? environment_(*variable) : std::nullopt;
  if (!text || text->empty()) return std::nullopt;
  return Scalar{path, Position{0, 0, *variable}, *text};
}

std::optional<std::vector<FieldReader::Scalar>> FieldReader::ReadScalars(std::string_view key,
                                                                         std::string_view word,
                                                                         Position* at) {
  const Field* field = Find(key);
  if (field == nullptr) return std::nullopt;
  *at = At(*field);
  const YAML::Node& list = field->value;
  std::vector<Scalar> scalars;
  if (list.IsScalar()) {
    const std::optional<Scalar> scalar = ScalarOf(list, PathOf(key), *at);
    if (scalar && scalar->text == word) return scalars;
    if (!scalar) return std::nullopt;
  }
  std::string why = Mismatch(list, YAML::NodeType::Sequence);
  if (why.empty() && list.size() == 0) why = "expected at least one entry, found an empty list";
  if (!why.empty()) {
    Refuse(PathOf(key), *at, fmt::format("{}; or write {}", why, word));
    return std::nullopt;
  }
  bool sound = true;
  for (const YAML::Node& entry : list) {
    const std::string path = fmt::format("{}[{}]", PathOf(key), scalars.size());
    auto scalar = ScalarOf(entry, path, PositionOf(entry));
    sound = sound && scalar.has_value();
    scalars.push_back(std::move(scalar).value_or(Scalar{}));
  }
  if (sound) return scalars;
  findings_.NoteBad(PathOf(key));
  return std::nullopt;
}

std::optional<FieldReader::Scalar> FieldReader::ScalarOf(const YAML::Node& node, std::string path,
                                                         Position at) {
  Scalar scalar{std::move(path), std::move(at), ""};
  std::string why = Mismatch(node, YAML::NodeType::Scalar);
  if (why.empty()) {
    if (auto text = ExpandVariables(node.Scalar(), environment_, &why)) {
      scalar.text = *std::move(text);
      return scalar;
    }
  }
  Refuse(scalar.path, scalar.at, why);
  return std::nullopt;
}

void FieldReader::Refuse(const std::string& path, const Position& at, const std::string& why) {
  findings_.NoteBad(path);
  findings_.AddProblem(at, fmt::format("{}: {}", path, why));
}

std::string FieldReader::PathOf(std::string_view key) const { return Join(path_, key); }

Position FieldReader::At(const Field& field) {
  return field.value.IsNull() ? field.key_at : PositionOf(field.value);
}

}  // namespace lanekeeper
