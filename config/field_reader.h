// Typed access to a YAML map: asks for keys one by one, turns their text into values, and reports
// whatever does not fit, unknown and duplicate keys included, never stopping at the first problem.
// One thread; borrows the environment and the findings for the length of a read.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/findings.h"
#include "config/load.h"

namespace lanekeeper {

class FieldReader {
 public:
  // Reads the keys of one map. Keys it did not ask for are reported when it returns.
  using Body = std::function<void(FieldReader&)>;

  static void ReadDocument(const YAML::Node& root, const Environment& environment,
                           Findings& findings, const Body& body);

  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  // Reports the key if the document lacks it.
  void Require(std::string_view key);
  // Whether the document has this map.
  bool given() const { return state_ == State::kGiven; }

  // Reads a map under the key. The body runs even where there is none, so that every key is asked
  // for and required ones are missed.
  void Map(std::string_view key, const Body& body);

  // Reads a list of maps.
  enum class ListMay { kNotBeEmpty, kBeEmpty };
  void MapList(std::string_view key, ListMay may, const Body& body);

  // Reads a list of scalars with at least one entry, or the word for none, as Value reads one.
  template <class T, class Parse>
  void ListOrWord(std::string_view key, std::string_view word, const Parse& parse,
                  std::vector<T>* out) {
    Position at;
    const std::optional<std::vector<Scalar>> scalars = ReadScalars(key, word, &at);
    if (!scalars) return;
    std::vector<T> values;
    for (const Scalar& scalar : *scalars) {
      std::string why;
      auto value = parse(scalar.text, &why);
      if (value)
        values.push_back(*std::move(value));
      else
        Refuse(scalar.path, scalar.at, why);
    }
    if (values.size() < scalars->size()) return findings_.NoteBad(PathOf(key));
    *out = std::move(values);
    findings_.NoteGood(PathOf(key), at);
  }

  // Reads a scalar, the variable of its path or the document's with variables expanded, through
  // parse(text, &why), which returns an optional value or says why not. Leaves *out alone where the
  // key is absent or its value does not parse.
  template <class T, class Parse>
  void Value(std::string_view key, const Parse& parse, T* out) {
    const std::optional<Scalar> scalar = ReadScalar(key);
    if (!scalar) return;
    std::string why;
    auto value = parse(scalar->text, &why);
    if (!value) return Refuse(scalar->path, scalar->at, why);
    *out = *std::move(value);
    findings_.NoteGood(scalar->path, scalar->at);
  }

 private:
  struct Field {
    Position key_at;
    YAML::Node value;
  };
  struct Scalar {
    std::string path;
    Position at;
    std::string text;
  };
  enum class State {
    kGiven,
    kAbsent,  // every key is missing, which is fine unless required
    kBroken,  // something else stood in the map's place and has been reported
  };

  FieldReader(const Environment& environment, Findings& findings, std::string path,
              std::string asked_path, Position at, State state)
      : environment_(environment),
        findings_(findings),
        path_(std::move(path)),
        asked_path_(std::move(asked_path)),
        at_(std::move(at)),
        state_(state) {}

  void ReadMap(const YAML::Node& node, const Body& body);
  // Reads what stands in a map's place, with a reader of its own.
  void ReadMapAt(const YAML::Node& node, const Position& at, const std::string& path,
                 const std::string& asked_path, const Body& body);
  void CollectFields(const YAML::Node& map);
  void ReportUnknownKeys();
  std::string UnknownKeyMessage(const std::string& key) const;

  // Both record that the key is known.
  const Field* Find(std::string_view key);
  std::optional<Scalar> ReadScalar(std::string_view key);
  // What the environment has for the key; a variable that is empty is as good as none.
  std::optional<Scalar> FromEnvironment(std::string_view key) const;
  std::optional<std::vector<Scalar>> ReadScalars(std::string_view key, std::string_view word,
                                                 Position* at);
  std::optional<Scalar> ScalarOf(const YAML::Node& node, std::string path, Position at);

  void Refuse(const std::string& path, const Position& at, const std::string& why);
  std::string PathOf(std::string_view key) const;
  // Where to point for a value: nothing has no place of its own, so its key's stands in.
  static Position At(const Field& field);

  const Environment& environment_;
  Findings& findings_;
  const std::string path_;        // "" for the root, else "upstream.keepalive" or "listen[0]"
  const std::string asked_path_;  // the same with "listen[]" for any entry
  const Position at_;
  const State state_;
  std::vector<std::pair<std::string, Field>> fields_;  // in file order, first of any duplicates
  std::vector<std::string> known_;                     // the keys asked for so far
};

}  // namespace lanekeeper
