#include "config/host_port.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "config/quote.h"

namespace lanekeeper {
namespace {

// DNS names have at most 253 characters (RFC 1035 section 2.3.4, without the root's dot).
constexpr size_t kLongestName = 253;
// sun_path must hold the path and its terminating zero.
constexpr size_t kLongestUnixPath = sizeof(sockaddr_un::sun_path) - 1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetterOrDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool AllOf(std::string_view text, bool (*predicate)(char)) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Names may hold underscores: Docker Compose and some service registries hand them out.
bool IsName(std::string_view host) {
  const auto allowed = [](char c) {
    return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= kLongestName && host.front() != '.' &&
         host.front() != '-' && host.find("..") == std::string_view::npos && AllOf(host, allowed);
}

// "127.0.0.256" passes as a name, but no resolver knows it: names never end in a number.
bool LooksLikeIpv4(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return AllOf(last, IsDigit);
}

std::optional<uint16_t> ParsePort(std::string_view text, std::string* why) {
  int port = 0;
  const bool digits = !text.empty() && text.size() <= 5 && AllOf(text, IsDigit);
  for (const char c : digits ? text : std::string_view()) port = port * 10 + (c - '0');
  if (!digits || port > UINT16_MAX) {
    *why = fmt::format("expected a port from 0 to 65535, found {}", Quote(text));
    return std::nullopt;
  }
  return static_cast<uint16_t>(port);
}

bool CheckHost(const std::string& host, std::string* why) {
  if (IsIpv4(host)) return true;
  if (IsName(host) && !LooksLikeIpv4(host)) return true;
  *why = fmt::format("{} is neither an IP address nor a host name", Quote(host));
  return false;
}

// Splits at the colon before the port; the host keeps its brackets.
std::optional<size_t> FindPortColon(std::string_view text, std::string* why) {
  const size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) {
    *why = fmt::format("']' is missing in {}", Quote(text));
    return std::nullopt;
  }
  const size_t colon = text.find(':', bracket);
  if (colon == std::string_view::npos) {
    *why = fmt::format("the port is missing: expected HOST:PORT, found {}", Quote(text));
    return std::nullopt;
  }
  if (text.find(':', colon + 1) != std::string_view::npos) {
    *why = fmt::format("too many colons: expected HOST:PORT, or [V6]:PORT for IPv6, found {}",
                       Quote(text));
    return std::nullopt;
  }
  return colon;
}

}  // namespace

// Both look for a zero inside: YAML can write one, and inet_pton would stop reading there.
bool IsIpv4(const std::string& host) {
  in_addr parsed;
  return host.find('\0') == std::string::npos && inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr parsed;
  return host.find('\0') == std::string::npos && inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

std::optional<ListenAddress> ParseHostPort(std::string_view text, std::string* why) {
  const std::optional<size_t> colon = FindPortColon(text, why);
  if (!colon) return std::nullopt;
  ListenAddress address;
  address.host = text.substr(0, *colon);
  if (address.host.empty()) {
    *why = fmt::format(
        "the host is missing: expected HOST:PORT (every interface is 0.0.0.0 or [::]), found {}",
        Quote(text));
    return std::nullopt;
  }
  if (address.host.front() == '[') {
    address.host = address.host.substr(1, address.host.size() - 2);
    const bool closes = text[*colon - 1] == ']';
    if (!closes || !IsIpv6(address.host)) {
      *why = fmt::format("expected an IPv6 address in brackets and a port, found {}", Quote(text));
      return std::nullopt;
    }
  } else if (!CheckHost(address.host, why)) {
    return std::nullopt;
  }
  const std::optional<uint16_t> port = ParsePort(text.substr(*colon + 1), why);
  if (!port) return std::nullopt;
  address.port = *port;
  return address;
}

bool CheckUnixPath(std::string_view path, std::string* why) {
  if (path.size() > kLongestUnixPath) {
    *why = fmt::format("a unix socket's path has at most {} bytes, found {}: {}", kLongestUnixPath,
                       path.size(), Quote(path));
    return false;
  }
  if (path.empty() || path.ends_with('/')) {
    *why = fmt::format("expected the path of a unix socket, found {}", Quote(path));
    return false;
  }
  // What RFC 3986 section 3.3 lets stand in a path as it is; gRPC takes these addresses as URIs.
  const auto allowed = [](char c) {
    return IsLetterOrDigit(c) ||
           std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string::npos;
  };
  if (!AllOf(path, allowed)) {
    *why = fmt::format(
        "gRPC takes a unix socket's path as part of a URI: letters, digits and -._~!$&'()*+,;=:@/ "
        "only, found {}",
        Quote(path));
    return false;
  }
  return true;
}

}  // namespace lanekeeper
