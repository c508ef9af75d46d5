// Whether a message came compressed. gRPC's public API decompresses and does not tell; core exports
// the answer for exactly these cases, without a public header that declares it.
#pragma once

#include <cstdint>

#include "tests/support/core_symbols.h"

namespace lanekeeper::testing {

// Of the message that the call received last, on either side.
inline bool LastMessageWasCompressed(grpc_call* call) {
  // Core's own bits: compressed as it is handed over, or compressed before core decompressed it.
  constexpr uint32_t kCompressed = 0x80000000u;
  constexpr uint32_t kWasCompressed = 0x40000000u;
  return (grpc_call_test_only_get_message_flags(call) & (kCompressed | kWasCompressed)) != 0;
}

}  // namespace lanekeeper::testing
