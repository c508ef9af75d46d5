#include "proxy/rpc/metadata.h"

#include <fmt/format.h>
#include <grpc/slice.h>

#include <algorithm>
#include <array>

namespace lanekeeper {
namespace {

// Sorted. Hop-by-hop fields of HTTP/1 (RFC 9113 section 8.2.2), fields that core writes itself from
// the call's own properties, and one that makes core abort when it is sent (grpclb_client_stats).
constexpr std::array<std::string_view, 15> kStripped = {
    "connection",   "content-length",   "content-type", "grpc-accept-encoding", "grpc-encoding",
    "grpc-message", "grpc-status",      "grpc-timeout", "grpclb_client_stats",  "host",
    "keep-alive",   "proxy-connection", "te",           "transfer-encoding",    "upgrade"};
static_assert(std::is_sorted(kStripped.begin(), kStripped.end()));

constexpr int64_t kEntryOverheadBytes = 32;

// For a status message: a key from the wire may hold any byte.
std::string Printable(std::string_view key) {
  std::string text(key.substr(0, 64));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

std::string_view ViewOf(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

MetadataVerdict JudgeMetadata(const grpc_metadata& entry) {
  const std::string_view key = ViewOf(entry.key);
  if (key.starts_with(':') || key.starts_with("grpc-internal-") ||
      std::binary_search(kStripped.begin(), kStripped.end(), key)) {
    return MetadataVerdict::kStrip;
  }
  if (grpc_header_key_is_legal(entry.key) == 0) return MetadataVerdict::kIllegal;
  if (grpc_is_binary_header(entry.key) == 0 &&
      grpc_header_nonbin_value_is_legal(entry.value) == 0) {
    return MetadataVerdict::kIllegal;
  }
  return MetadataVerdict::kForward;
}

TranslatedMetadata TranslateMetadata(const grpc_metadata_array& received,
                                     const MetadataRules& rules) {
  TranslatedMetadata result;
  // And what AppendCompression adds. Trailers are empty, mostly.
  if (received.count > 0) result.forward.reserve(received.count + 2);
  int64_t size_bytes = 0;
  for (size_t i = 0; i < received.count; ++i) {
    const grpc_metadata& entry = received.metadata[i];
    size_bytes +=
        static_cast<int64_t>(GRPC_SLICE_LENGTH(entry.key) + GRPC_SLICE_LENGTH(entry.value)) +
        kEntryOverheadBytes;
    switch (JudgeMetadata(entry)) {
      case MetadataVerdict::kForward:
        result.forward.push_back(entry);
        if (rules.user_agent_key && ViewOf(entry.key) == "user-agent") {
          result.forward.back().key = grpc_slice_from_static_buffer(rules.user_agent_key->data(),
                                                                    rules.user_agent_key->size());
        }
        break;
      case MetadataVerdict::kStrip:
        break;
      case MetadataVerdict::kIllegal:
        result.problem = TranslatedMetadata::Problem::kIllegal;
        result.message =
            fmt::format("lanekeeper: metadata '{}' has a key or value that gRPC does not allow",
                        Printable(ViewOf(entry.key)));
        return result;
    }
  }
  if (size_bytes > rules.size_bytes_max) {
    result.problem = TranslatedMetadata::Problem::kTooLarge;
    result.message = fmt::format("lanekeeper: metadata of {} bytes exceeds limits.{}, {} bytes",
                                 size_bytes, rules.size_key, rules.size_bytes_max);
  }
  return result;
}

}  // namespace lanekeeper
