// What metadata crosses the proxy, what is stripped, and what cannot be sent on at all.
// Values only; any thread. The table is explained in proxy/README.md.
#pragma once

#include <grpc/grpc.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/threads/block_pool.h"

namespace lanekeeper {

// Metadata ready to be sent: entries that refer to slices of the call they came from, which must
// stay alive until the batch that sends them has been started (core takes references of its own).
using Metadata = std::vector<grpc_metadata, PoolAllocator<grpc_metadata>>;

enum class MetadataVerdict {
  kForward,
  kStrip,    // belongs to one connection or is written anew by core: never sent on
  kIllegal,  // core would refuse the whole batch: the RPC must fail instead
};

MetadataVerdict JudgeMetadata(const grpc_metadata& entry);

struct TranslatedMetadata {
  Metadata forward;
  enum class Problem { kNone, kIllegal, kTooLarge } problem = Problem::kNone;
  std::string message;  // for the status, when there is a problem
};

// What goes for one kind of metadata.
struct MetadataRules {
  // Bounds the sum over all entries of key + value + 32 (RFC 9113 section 6.5.2), and the name of
  // the key that sets it.
  int64_t size_bytes_max = 0;
  std::string_view size_key;
  // The key under which user-agent goes on; borrowed. Empty: its own.
  std::optional<std::string_view> user_agent_key;
};

// Filters what one side sent into what the other side gets, in the order it was sent.
TranslatedMetadata TranslateMetadata(const grpc_metadata_array& received,
                                     const MetadataRules& rules);

std::string_view ViewOf(const grpc_slice& slice);

}  // namespace lanekeeper
