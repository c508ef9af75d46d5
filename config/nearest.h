// Finds the name somebody probably meant. Values only; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanekeeper {

// The name closest to what was written, when it is close enough to be worth suggesting.
std::optional<std::string> NearestName(std::string_view written,
                                       const std::vector<std::string>& names);

}  // namespace lanekeeper
