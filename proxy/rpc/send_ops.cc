#include "proxy/rpc/send_ops.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpc/slice.h>

namespace lanekeeper {

void AppendCompression(Metadata& metadata, grpc_compression_algorithm algorithm) {
  const char* name = nullptr;
  if (algorithm == GRPC_COMPRESS_NONE || grpc_compression_algorithm_name(algorithm, &name) == 0)
    return;
  grpc_metadata entry{};
  entry.key = grpc_slice_from_static_string(GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY);
  entry.value = grpc_slice_from_static_string(name);
  metadata.push_back(entry);
}

}  // namespace lanekeeper
