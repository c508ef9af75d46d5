// What was built. The strings come from CMake.
#pragma once

namespace lanekeeper {

extern const char kVersion[];
extern const char kRevision[];

}  // namespace lanekeeper
