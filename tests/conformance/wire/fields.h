// What gRPC peers write: the usual fields, messages with their prefix, base64 as on the wire.
#pragma once

#include <string>

#include "tests/conformance/wire/observed.h"

namespace lanekeeper::testing::wire {

inline constexpr char kPath[] = "/wire.Service/Method";
inline constexpr char kAuthority[] = "conformance.test";

// The usual request fields, then more.
Fields Request(const Fields& more = {}, const std::string& path = kPath);
// The usual response headers, then more.
Fields Response(const Fields& more = {});
// Trailers with a status, then more.
Fields Trailers(const std::string& status = "0", const Fields& more = {});
// Headers and trailers in one.
Fields TrailersOnly(const std::string& status, const Fields& more = {});

Fields operator+(Fields left, const Fields& right);

// A gRPC message: flag, length, bytes.
std::string Framed(const std::string& bytes, int flag = 0);

std::string Base64(const std::string& bytes, bool padded = false);

}  // namespace lanekeeper::testing::wire
