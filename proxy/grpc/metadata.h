// What header fields cross the proxy, what is stripped, and what cannot be sent on at all. Pure
// functions on text from the wire; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanekeeper {

enum class FieldVerdict : uint8_t {
  kForward,
  kStrip,    // belongs to one connection, or would make a peer answer what nobody asked
  kIllegal,  // gRPC does not allow it: the RPC fails
};

// Of a field that is no pseudo-header. `te` is stripped: whoever sends a request writes it anew.
FieldVerdict JudgeField(std::string_view name, std::string_view value);

// Whether HTTP/2 itself calls the field malformed (RFC 9113 section 8.2.1).
bool IsMalformedField(std::string_view name, std::string_view value);
// RFC 9113 section 8.2.2.
bool IsConnectionSpecific(std::string_view name);
// Whether a `connection` field names it.
bool NamedInConnection(std::string_view connection, std::string_view name);
// Whether a pseudo-header field may have the value: neither blanks nor control characters, which
// have no place in a method, path or authority, and which HTTP/2 or a later hop would take ill.
bool IsPseudoValue(std::string_view value);
// "application/grpc", alone or with a subtype or parameters; nothing that only begins so.
bool IsGrpcContentType(std::string_view value);
// Whether it is a host with an optional port (RFC 3986 section 3.2), and not the path of a unix
// socket, as some clients send.
bool IsHostAuthority(std::string_view authority);
// Its value differs from RPC to RPC: of no use in a compression table.
bool IsPerRpcField(std::string_view name);
// For texts that quote bytes from the wire: printable, at most 64 bytes.
std::string PrintableField(std::string_view bytes);

}  // namespace lanekeeper
