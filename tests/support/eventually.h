// Waiting with a bound for what another thread is about to do.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace lanekeeper::testing {

// Long enough for a sanitizer build on a busy machine; a test that waits for it in vain fails.
inline constexpr std::chrono::seconds kPatience{20};

// Polls until `condition` holds; false after kPatience.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace lanekeeper::testing
