// What reading a document brings to light: its problems, the keys asked for, where each was given.
// One thread at a time; lives as long as one load.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/load.h"

namespace lanekeeper {

// Counted from 1, as editors do; 0 where there is none. What an environment variable gave has its
// name for a place.
struct Position {
  int line = 0;
  int column = 0;
  std::string variable = {};
};

// Paths name keys from the root: "upstream.keepalive.time", "listen[0].address".
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  void AddProblem(const Position& at, std::string message);

  // Records that a reader knows the key; entries of lists go as "listen[].address".
  void NoteAsked(const std::string& path) { asked_.insert(path); }
  // Records the outcome of a key that the document holds.
  void NoteGood(const std::string& path, const Position& at) { good_.emplace(path, at); }
  void NoteBad(const std::string& path) { bad_.insert(path); }

  // Where the key was given, when what it held was good.
  std::optional<Position> GivenAt(const std::string& path) const;
  // Whether the field holds what was meant, given or default. Rules across fields skip the others,
  // lest one mistake be reported twice.
  bool IsSound(const std::string& path) const { return !bad_.contains(path); }

  // For each key that was given and good: "file:3:5" or "$LANEKEEPER_LOG_LEVEL".
  Origins TakeOrigins();

  // Every key a reader asked for, which is every key there is.
  const std::set<std::string>& asked() const { return asked_; }

  // In file order, without repeats: an anchor's value is read once per alias but wrong only once.
  std::vector<ConfigProblem> TakeProblems();

 private:
  std::string PlaceOf(const Position& at) const;

  std::string file_;
  std::vector<ConfigProblem> problems_;
  std::set<std::string> asked_;
  std::map<std::string, Position> good_;
  std::set<std::string> bad_;
};

}  // namespace lanekeeper
