// Listen addresses and upstream targets. The input is two of them, a line each.
#include <fmt/format.h>

#include <string>

#include "config/host_port.h"
#include "config/overlap.h"
#include "config/target.h"
#include "proxy/net/socket_address.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"

namespace lanekeeper::fuzz {
namespace {

std::string Written(const ListenAddress& address) {
  if (address.is_unix()) return "unix://" + address.unix_path;
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

bool Same(const ListenAddress& a, const ListenAddress& b) {
  return a.host == b.host && a.port == b.port && a.unix_path == b.unix_path;
}

void CheckAddress(const ListenAddress& address) {
  Check(address.host.empty() != address.unix_path.empty(), "either a host or a path");
  Check(!HasControls(address.host) && !HasControls(address.unix_path), "an address is one line");
  if (address.is_unix()) {
    const auto socket = SocketAddress::Unix(address.unix_path, false);
    Check(socket.has_value(), "a socket can have the path");
    Check(socket->Name() == "unix:" + address.unix_path, "the path is kept");
    return;
  }
  const auto socket = SocketAddress::FromIp(address.host, address.port);
  Check(socket.has_value() == (IsIpv4(address.host) || IsIpv6(address.host)),
        "a literal is one everywhere");
}

std::optional<ListenAddress> CheckListen(std::string_view text) {
  std::string why;
  const auto address = ParseListenAddress(text, &why);
  Check(address.has_value() == why.empty(), "an address or a reason");
  Check(!HasControls(why), "a reason is one line");
  if (!address) return std::nullopt;
  CheckAddress(*address);
  const auto again = ParseListenAddress(Written(*address), &why);
  Check(again && Same(*again, *address), "an address is read as it was written");
  return address;
}

void CheckTarget(std::string_view text) {
  std::string why;
  const auto target = ParseUpstreamTarget(text, &why);
  Check(target.has_value() == why.empty(), "a target or a reason");
  Check(!HasControls(why), "a reason is one line");
  if (!target) return;
  Check(!target->endpoints.empty(), "a target has an endpoint");
  for (const ListenAddress& endpoint : target->endpoints) {
    CheckAddress(endpoint);
    Check(endpoint.is_unix() || endpoint.port != 0, "nobody dials port 0");
  }
}

void CheckPair(const ListenAddress& a, const ListenAddress& b) {
  Check(ListenOverlap(a, b) == ListenOverlap(b, a), "an overlap has no direction");
  Check(a.is_unix() || a.port == 0 || (ListenOverlap(a, a) && DialReaches(a, a)),
        "an address collides with itself");
  if (DialReaches(a, b)) Check(a.is_unix() == b.is_unix(), "a dial stays within its kind");
  OnlyLocal(a);
}

void Run(Input input) {
  const std::string_view all = input.Rest();
  const size_t line = std::min(all.find('\n'), all.size());
  const std::string_view first = all.substr(0, line);
  const std::string_view second = all.substr(std::min(line + 1, all.size()));
  const auto a = CheckListen(first);
  const auto b = CheckListen(second);
  if (a && b) CheckPair(*a, *b);
  CheckTarget(first);
  CheckTarget(second);
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}
