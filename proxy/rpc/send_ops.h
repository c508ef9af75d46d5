// The batches that either half of an RPC sends, built from core's plain operations.
#pragma once

#include <grpc/grpc.h>

#include "proxy/rpc/message.h"
#include "proxy/rpc/metadata.h"

namespace lanekeeper {

// Refers to `metadata`, which must stay until the batch has been started.
inline grpc_op InitialMetadataOp(Metadata& metadata, uint32_t flags) {
  grpc_op op{};
  op.op = GRPC_OP_SEND_INITIAL_METADATA;
  op.flags = flags;
  op.data.send_initial_metadata.count = metadata.size();
  op.data.send_initial_metadata.metadata = metadata.data();
  return op;
}

// The message keeps the form it came in: compressed ones are sent as they are, others never
// compressed.
inline grpc_op MessageOp(const Message& message, bool more_follows) {
  grpc_op op{};
  op.op = GRPC_OP_SEND_MESSAGE;
  op.flags = GRPC_WRITE_NO_COMPRESS | (more_follows ? GRPC_WRITE_BUFFER_HINT : 0);
  op.data.send_message.send_message = message.get();
  return op;
}

}  // namespace lanekeeper
