// Tells the statuses that core makes up here, because of what happened to a connection, from
// statuses that came over the wire. To the surface of core both look alike, down to the text; but
// only of the former is it certain that the upstream has not processed the RPC, and an upstream
// that hands on the status of an upstream of its own can send any text.
#pragma once

#include <string_view>

namespace lanekeeper {

// While one lives, core's texts for "the upstream has not seen this" carry a secret mark at their
// end. Any thread.
class LocalStatusMarks {
 public:
  LocalStatusMarks();
  LocalStatusMarks(const LocalStatusMarks&) = delete;
  LocalStatusMarks& operator=(const LocalStatusMarks&) = delete;
  ~LocalStatusMarks();
};

// The text of a status without the mark, and whether it had one.
struct StatusText {
  std::string_view text;
  bool local_mark = false;
};
StatusText WithoutMark(std::string_view message);

}  // namespace lanekeeper
