// Files that an operator names, read whole. Any thread; blocks as the file system does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace lanekeeper {

// The file's bytes; or nothing and the reason, which reads on from the file's name: "cannot be
// read: Permission denied". A file of more than `bytes_max` is refused: it may be /dev/zero.
std::optional<std::string> ReadFile(const std::string& path, size_t bytes_max, std::string* why);

}  // namespace lanekeeper
