#include "proxy/base/file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace lanekeeper {

std::optional<std::string> ReadFile(const std::string& path, size_t bytes_max, std::string* why) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    *why = "is a directory, expected a file";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max + 1, '\0');  // one more, so that too large a file shows
  if (file.is_open()) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    *why = "cannot be read: " + std::generic_category().message(errno != 0 ? errno : EIO);
    return std::nullopt;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() <= bytes_max) return text;
  *why = "is larger than " + std::to_string(bytes_max) + " bytes";
  return std::nullopt;
}

}  // namespace lanekeeper
