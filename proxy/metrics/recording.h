// Whether anything is counted at all. Always, but in the build that measures what counting costs
// (LANEKEEPER_RECORDING=OFF, see proxy/README.md).
#pragma once

namespace lanekeeper {

#ifdef LANEKEEPER_WITHOUT_RECORDING
inline constexpr bool kRecording = false;
#else
inline constexpr bool kRecording = true;
#endif

}  // namespace lanekeeper
