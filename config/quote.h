// Shows text from the file inside a message: short, on one line, and unable to forge log lines.
// Values only; any thread.
#pragma once

#include <string>
#include <string_view>

namespace lanekeeper {

// The text in single quotes, control characters escaped, cut off with "..." when long.
std::string Quote(std::string_view text);

}  // namespace lanekeeper
