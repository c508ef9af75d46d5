// Checks what a configuration says of TLS: the keys against each other, and the files that they
// name, which it reads. One thread.
#pragma once

#include "config/config.h"
#include "config/findings.h"

namespace lanekeeper {

void ValidateTls(const Config& config, Findings& findings);

}  // namespace lanekeeper
