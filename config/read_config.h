// The one place that knows which keys there are. Any thread.
#pragma once

#include "config/config.h"
#include "config/field_reader.h"

namespace lanekeeper {

// Asks the root map for every key; fields whose key is absent or wrong keep their default.
Config ReadConfig(FieldReader& root);

}  // namespace lanekeeper
