// The names that a certificate is for: its subject alternative names (RFC 5280 section 4.2.1.6).
// Common names count for nothing (RFC 9525). Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/tls/openssl.h"

namespace lanekeeper {

// Whether the certificate has one of the names, as an operator writes them: a DNS name, of which
// "*." at the begin stands for any one label; a URI, byte by byte; an IP address.
bool HasOneOf(X509& certificate, const std::vector<std::string>& names);

// For people: "web.shop, spiffe://shop/web and 3 more"; "no name" if there is none. Printable.
std::string NamesOf(X509& certificate, size_t max);

// Whether an IPv4 or IPv6 literal.
bool IsIpLiteral(const std::string& text);

}  // namespace lanekeeper
