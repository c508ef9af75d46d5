// Puts the environment into scalars. Values only; any thread that may call the environment given.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/load.h"

namespace lanekeeper {

// "${NAME}" becomes the variable's value, and "${NAME:-text}" the text where the variable is unset
// or empty, as in a shell; "$$" is a plain dollar sign. Nothing else may follow a dollar, so that a
// forgotten brace shows. A value is not expanded again. Empty, the reason in *why, otherwise.
std::optional<std::string> ExpandVariables(std::string_view text, const Environment& environment,
                                           std::string* why);

}  // namespace lanekeeper
