// Parses the addresses we listen on. Values only; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

// Either a TCP host and port, or a unix socket's path; exactly one of host and unix_path is set.
struct ListenAddress {
  std::string host;       // an IPv4 or IPv6 literal without brackets, or a name like "localhost"
  uint16_t port = 0;      // 0: the kernel picks one
  std::string unix_path;  // absolute

  bool is_unix() const { return !unix_path.empty(); }
};

// "HOST:PORT", "[V6]:PORT" or "unix:///absolute/path"; empty, with the reason in *why, otherwise.
std::optional<ListenAddress> ParseListenAddress(std::string_view text, std::string* why);

}  // namespace lanekeeper
