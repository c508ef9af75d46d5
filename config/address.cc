#include "config/address.h"

#include <fmt/core.h>

#include "config/host_port.h"
#include "config/quote.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kUnix = "unix:";

std::optional<ListenAddress> ParseUnix(std::string_view text, std::string* why) {
  // Absolute only: a listening socket must not depend on the directory we were started in.
  if (!text.starts_with("unix:///")) {
    *why = fmt::format("expected unix:///absolute/path, found {}", Quote(text));
    return std::nullopt;
  }
  ListenAddress address;
  address.unix_path = text.substr(std::string_view("unix://").size());
  if (!CheckUnixPath(address.unix_path, why)) return std::nullopt;
  return address;
}

}  // namespace

std::optional<ListenAddress> ParseListenAddress(std::string_view text, std::string* why) {
  if (text.starts_with(kUnix)) return ParseUnix(text, why);
  if (text.find("//") != std::string_view::npos) {
    *why = fmt::format("expected HOST:PORT, [V6]:PORT or unix:///absolute/path, found {}",
                       Quote(text));
    return std::nullopt;
  }
  return ParseHostPort(text, why);
}

}  // namespace lanekeeper
