// Streams as a table, one row each: the ones that are stuck say so in words, and in colour where
// the screen has some. One thread.
#pragma once

#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/output.h"
#include "proxy/cli/table.h"

namespace lanekeeper {

class StreamTable {
 public:
  explicit StreamTable(const Screen& screen);

  void Measure(const admin::v1::Stream& stream);

  // Finished lines without line ends.
  std::vector<std::string> Titles() const;
  std::vector<std::string> Row(const admin::v1::Stream& stream) const;

 private:
  std::vector<std::string> Coloured(std::vector<std::string> lines, const char* colour) const;

  Screen screen_;
  Table table_;
};

}  // namespace lanekeeper
