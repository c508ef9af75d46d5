// The pieces that listen addresses and upstream targets share. Values only; any thread.
// Every parser returns nothing on refusal and then says in *why what it expected and what it found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/address.h"

namespace lanekeeper {

// "HOST:PORT" or "[V6]:PORT". The port may be 0; the host is a literal or looks like a name.
std::optional<ListenAddress> ParseHostPort(std::string_view text, std::string* why);

// Whether a unix socket can have this path and gRPC's URI parser passes it through unchanged.
bool CheckUnixPath(std::string_view path, std::string* why);

bool IsIpv4(const std::string& host);
bool IsIpv6(const std::string& host);

}  // namespace lanekeeper
