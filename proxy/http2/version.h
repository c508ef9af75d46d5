// The version of libnghttp2 that runs. Any thread.
#pragma once

#include <string_view>

namespace lanekeeper {

std::string_view Nghttp2Version();

}  // namespace lanekeeper
