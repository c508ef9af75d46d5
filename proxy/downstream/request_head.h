// Judges the header block of a request: what goes upstream, what is answered here, and what is no
// HTTP/2. Pure functions; any thread. Rules: RFC 9113 section 8, gRPC doc/PROTOCOL-HTTP2.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/rpc/rpc.h"

namespace lanekeeper {

struct RequestRules {
  size_t metadata_bytes_max = 0;         // limits.metadata_size
  std::optional<std::string> authority;  // sent upstream in place of what came
  std::string_view scheme = "http";      // how the upstream is reached
};

enum class RequestKind : uint8_t {
  kRpc,
  kNotGrpc,    // gets 415 and a line of text
  kMalformed,  // RST_STREAM(PROTOCOL_ERROR)
};

struct RequestHead {
  RequestKind kind = RequestKind::kRpc;
  Request request;  // without a peer
};

// `too_large`: the block was larger than the connection keeps, and is not whole. The fields of the
// result come from the pool, if there is one.
RequestHead JudgeRequest(const http2::FieldList& received, bool too_large,
                         const RequestRules& rules, Pool* pool = nullptr);

}  // namespace lanekeeper
