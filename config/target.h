// Parses the gRPC targets an upstream may have. Values only; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"

namespace lanekeeper {

// The endpoints a target names before any name is resolved, in the shape of listen addresses so
// that the two compare. A relative unix path stays relative.
struct UpstreamTarget {
  std::vector<ListenAddress> endpoints;  // at least one
  bool abstract = false;                 // a unix socket's name is one of the kernel's, no path
};

// "HOST:PORT", "dns:///HOST:PORT", "dns://SERVER/HOST:PORT", "ipv4:HOST:PORT[,...]",
// "ipv6:[HOST]:PORT[,...]", "unix:///absolute/path", "unix:path" or "unix-abstract:name" (gRPC
// doc/naming.md). A TCP port
// is required: gRPC would fill in 443. Empty, with the reason in *why, otherwise.
std::optional<UpstreamTarget> ParseUpstreamTarget(std::string_view text, std::string* why);

}  // namespace lanekeeper
