// Rules that take more than one field, each field being right on its own. Any thread.
#pragma once

#include "config/config.h"
#include "config/findings.h"

namespace lanekeeper {

// Adds a problem for every clash, at the position of the field that is easiest to change.
void Validate(const Config& config, Findings& findings);

}  // namespace lanekeeper
