// Finds what yaml-cpp would pass over after the first document. Any thread.
#pragma once

#include <optional>
#include <string>

#include "config/findings.h"

namespace lanekeeper {

// Where the text goes on after its first document: at a second "---", or at a stray character that
// yaml-cpp takes for the start of another document. Throws YAML::Exception as yaml-cpp does.
//
// Not YAML::LoadAll: a stray ',' or '}' at the top makes yaml-cpp 0.7 hand out empty documents
// without end, which LoadAll gathers until memory runs out.
std::optional<Position> FindSecondDocument(const std::string& text);

}  // namespace lanekeeper
