#include "proxy/rpc/compression.h"

#include <grpc/slice.h>

#include <array>
#include <string_view>

#include "proxy/rpc/core_symbols.h"

namespace lanekeeper {
namespace {

// By the bits of grpc_compression_algorithm, written as gRPC writes it.
constexpr std::array<std::string_view, 1 << GRPC_COMPRESS_ALGORITHMS_COUNT> kAcceptLists = {
    "",     "identity",       "deflate",       "identity, deflate",
    "gzip", "identity, gzip", "deflate, gzip", "identity, deflate, gzip"};
// Everybody accepts "identity": alone it means that the header was not there.
constexpr uint32_t kIdentityOnly = 1U << GRPC_COMPRESS_NONE;

grpc_metadata Entry(std::string_view key, std::string_view value) {
  grpc_metadata entry{};
  entry.key = grpc_slice_from_static_buffer(key.data(), key.size());
  entry.value = grpc_slice_from_static_buffer(value.data(), value.size());
  return entry;
}

}  // namespace

Compression Compression::Of(grpc_call* call) {
  return {grpc_call_test_only_get_compression_algorithm(call),
          grpc_call_test_only_get_encodings_accepted_by_peer(call)};
}

void AppendCompression(Metadata& metadata, const Compression& compression) {
  const char* const name = EncodingName(compression.algorithm);
  if (compression.algorithm != GRPC_COMPRESS_NONE && name != nullptr) {
    metadata.push_back(Entry("grpc-encoding", name));
  }
  if (compression.accepted > kIdentityOnly && compression.accepted < kAcceptLists.size()) {
    metadata.push_back(Entry("grpc-accept-encoding", kAcceptLists[compression.accepted]));
  }
}

void KeepCompressedFlag(grpc_call* call, Message& message) {
  // GRPC_WRITE_INTERNAL_COMPRESS: the flag in front of the message.
  constexpr uint32_t kCompressedFlag = 0x80000000U;
  grpc_byte_buffer* const buffer = message.get();
  if (buffer == nullptr || message.compressed()) return;
  if ((grpc_call_test_only_get_message_flags(call) & kCompressedFlag) == 0) return;
  // Which algorithm stands here no longer matters: core only asks whether there is one.
  buffer->data.raw.compression = GRPC_COMPRESS_DEFLATE;
}

}  // namespace lanekeeper
