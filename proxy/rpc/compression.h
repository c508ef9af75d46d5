// How messages are compressed is between the two ends: the proxy passes on the compressed bytes,
// the flag of each message and the names in grpc-encoding and grpc-accept-encoding, and never
// inflates or deflates. Values only; any thread.
#pragma once

#include <grpc/compression.h>
#include <grpc/grpc.h>

#include <cstdint>

#include "proxy/rpc/message.h"
#include "proxy/rpc/metadata.h"

namespace lanekeeper {

// What one side said of compression with its headers.
struct Compression {
  grpc_compression_algorithm algorithm = GRPC_COMPRESS_NONE;  // grpc-encoding
  uint32_t accepted = 0;  // grpc-accept-encoding: one bit for each algorithm that gRPC knows

  // Of a call whose initial metadata has been received.
  static Compression Of(grpc_call* call);
};

// What stands for the algorithm in grpc-encoding; null for a number that stands for none. Also
// knows the names that core does not: see unknown_encodings.cc.
const char* EncodingName(grpc_compression_algorithm algorithm);

// Adds grpc-encoding and grpc-accept-encoding as the other side had them.
void AppendCompression(Metadata& metadata, const Compression& compression);

// Core marks a message as compressed only if it knows the algorithm by itself. To be called for
// each message as it was received from `call`.
void KeepCompressedFlag(grpc_call* call, Message& message);

}  // namespace lanekeeper
