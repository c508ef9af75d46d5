#include "config/overlap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/ip.h"

namespace lanekeeper {
namespace {

constexpr Ip kAny = {};
constexpr Ip kLoopbackV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};

bool SameName(const std::string& a, const std::string& b) {
  return strcasecmp(a.c_str(), b.c_str()) == 0;
}

// None for names other than "localhost".
std::vector<Ip> IpsOf(const std::string& host) {
  if (SameName(host, "localhost")) return {kLoopbackV4, kLoopback};
  Ip ip = kAnyV4;
  if (inet_pton(AF_INET, host.c_str(), ip.data() + 12) == 1) return {ip};
  if (inet_pton(AF_INET6, host.c_str(), ip.data()) == 1) return {ip};
  return {};
}

// gRPC's "[::]" socket takes IPv4 connections too.
bool Includes(const Ip& listening, const Ip& ip) {
  return listening == ip || listening == kAny || (listening == kAnyV4 && IsV4(ip));
}

// Linux connects to the loopback interface when asked for the wildcard.
Ip Dialled(const Ip& ip) {
  if (ip == kAny) return kLoopback;
  return ip == kAnyV4 ? kLoopbackV4 : ip;
}

template <class Predicate>
bool AnyPair(const ListenAddress& a, const ListenAddress& b, Predicate predicate) {
  for (const Ip& a_ip : IpsOf(a.host)) {
    for (const Ip& b_ip : IpsOf(b.host)) {
      if (predicate(a_ip, b_ip)) return true;
    }
  }
  return false;
}

}  // namespace

bool ListenOverlap(const ListenAddress& a, const ListenAddress& b) {
  if (a.is_unix() || b.is_unix()) return a.unix_path == b.unix_path;
  if (a.port != b.port || a.port == 0) return false;
  if (SameName(a.host, b.host)) return true;
  return AnyPair(a, b, [](const Ip& x, const Ip& y) { return Includes(x, y) || Includes(y, x); });
}

bool DialReaches(const ListenAddress& dialled, const ListenAddress& listening) {
  if (dialled.is_unix() || listening.is_unix()) return dialled.unix_path == listening.unix_path;
  if (dialled.port != listening.port || dialled.port == 0) return false;
  if (SameName(dialled.host, listening.host)) return true;
  return AnyPair(dialled, listening, [](const Ip& to, const Ip& at) {
    const Ip ip = Dialled(to);
    return ip == at || (IsLoopback(ip) && Includes(at, ip));
  });
}

bool OnlyLocal(const ListenAddress& listening) {
  if (listening.is_unix()) return true;
  const std::vector<Ip> ips = IpsOf(listening.host);
  return !ips.empty() && std::all_of(ips.begin(), ips.end(), IsLoopback);
}

}  // namespace lanekeeper
