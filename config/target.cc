#include "config/target.h"

#include <fmt/core.h>

#include <cstddef>

#include "config/host_port.h"
#include "config/quote.h"

namespace lanekeeper {
namespace {

// Takes the prefix off the text if it is there.
bool Take(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

std::optional<ListenAddress> ParseEndpoint(std::string_view text, std::string* why) {
  std::optional<ListenAddress> endpoint = ParseHostPort(text, why);
  if (endpoint && endpoint->port == 0) {
    *why = fmt::format("expected a port from 1 to 65535, found {}", Quote(text));
    return std::nullopt;
  }
  return endpoint;
}

std::optional<UpstreamTarget> One(std::optional<ListenAddress> endpoint) {
  if (!endpoint) return std::nullopt;
  return UpstreamTarget{{*std::move(endpoint)}};
}

// What follows "dns:": "///HOST:PORT", "//SERVER/HOST:PORT" or "HOST:PORT".
std::optional<UpstreamTarget> ParseDns(std::string_view rest, std::string* why) {
  if (Take("//", &rest)) {
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      *why =
          fmt::format("expected dns:///HOST:PORT, found {}", Quote(fmt::format("dns://{}", rest)));
      return std::nullopt;
    }
    rest.remove_prefix(slash + 1);
  }
  return One(ParseEndpoint(rest, why));
}

// What follows "ipv4:" or "ipv6:": literals of that family, separated by commas.
std::optional<UpstreamTarget> ParseLiterals(std::string_view rest, bool v6, std::string* why) {
  UpstreamTarget target;
  for (bool more = true; more;) {
    const size_t comma = rest.find(',');
    const std::string_view text = rest.substr(0, comma);
    const std::optional<ListenAddress> endpoint = ParseEndpoint(text, why);
    if (!endpoint) return std::nullopt;
    if (v6 ? !IsIpv6(endpoint->host) : !IsIpv4(endpoint->host)) {
      *why = fmt::format("expected {}, found {}", v6 ? "[V6]:PORT" : "an IPv4 address and a port",
                         Quote(text));
      return std::nullopt;
    }
    target.endpoints.push_back(*endpoint);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return target;
}

// What follows "unix:": "///absolute/path" or a path, absolute or not.
std::optional<UpstreamTarget> ParseUnix(std::string_view rest, std::string* why) {
  if (rest.starts_with("//")) {
    if (!rest.starts_with("///")) {
      *why = fmt::format("expected unix:///absolute/path or unix:path, found {}",
                         Quote(fmt::format("unix:{}", rest)));
      return std::nullopt;
    }
    rest.remove_prefix(2);
  }
  if (!CheckUnixPath(rest, why)) return std::nullopt;
  ListenAddress endpoint;
  endpoint.unix_path = rest;
  return One(endpoint);
}

// What follows "unix-abstract:": a name in the kernel's table of sockets (Linux).
std::optional<UpstreamTarget> ParseAbstract(std::string_view name, std::string* why) {
  if (name.empty() || !CheckUnixPath(name, why)) {
    *why = fmt::format("expected unix-abstract:NAME, found {}",
                       Quote(fmt::format("unix-abstract:{}", name)));
    return std::nullopt;
  }
  ListenAddress endpoint;
  endpoint.unix_path = name;
  UpstreamTarget target{{endpoint}};
  target.abstract = true;
  return target;
}

}  // namespace

std::optional<UpstreamTarget> ParseUpstreamTarget(std::string_view text, std::string* why) {
  std::string_view rest = text;
  if (Take("dns:", &rest)) return ParseDns(rest, why);
  if (Take("ipv4:", &rest)) return ParseLiterals(rest, false, why);
  if (Take("ipv6:", &rest)) return ParseLiterals(rest, true, why);
  if (Take("unix:", &rest)) return ParseUnix(rest, why);
  if (Take("unix-abstract:", &rest)) return ParseAbstract(rest, why);
  if (text.find('/') != std::string_view::npos) {
    *why = fmt::format(
        "expected HOST:PORT, dns:///HOST:PORT, ipv4:..., ipv6:..., unix:///path or unix:path, "
        "found {}",
        Quote(text));
    return std::nullopt;
  }
  return One(ParseEndpoint(text, why));
}

}  // namespace lanekeeper
