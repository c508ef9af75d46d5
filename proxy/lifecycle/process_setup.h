// Settings of the process as a whole, from which every App in it profits. Call once, from main,
// before any other thread exists.
#pragma once

namespace lanekeeper {

void SetUpProcess();

}  // namespace lanekeeper
