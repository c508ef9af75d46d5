// Functions that gRPC's library exports without a public header that declares them: each is the
// only way to something that a transparent proxy needs. Used with 1.51; later sources have them.
// Those that core calls and we replace: rpc/replaced_function.h.
#pragma once

#include <grpc/compression.h>
#include <grpc/grpc.h>

#include <cstddef>
#include <cstdint>

// Whether an upstream's answer came as trailers only. Client calls, once initial metadata was
// received.
bool grpc_call_is_trailers_only(const grpc_call* call);

// The algorithm that the peer named in grpc-encoding, which core strips from the metadata it shows.
grpc_compression_algorithm grpc_call_test_only_get_compression_algorithm(grpc_call* call);

// The algorithms that the peer named in grpc-accept-encoding, one bit each.
uint32_t grpc_call_test_only_get_encodings_accepted_by_peer(grpc_call* call);

// The flags of the message that was received last.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc_core {

// What a grpc_server points at.
class Server {
 public:
  // Tells every connection that no new RPC is welcome (GOAWAY), and goes on serving those that were
  // under way. A shutdown of the server would answer them with CANCELLED.
  void SendGoaways();
};

// What a grpc_call points at, unless an experiment of core (GRPC_EXPERIMENTS) makes another.
class FilterStackCall {
 public:
  // grpc_call_start_batch without an execution context of its own.
  grpc_call_error StartBatch(const grpc_op* ops, size_t count, void* tag, bool tag_is_closure);
};

// Its table of virtual functions, which begins with two other entries (Itanium C++ ABI, 2.5.2): the
// first thing in each object points behind those.
extern void* const kFilterStackCallTable[] __asm__("_ZTVN9grpc_core15FilterStackCallE");

inline FilterStackCall* AsFilterStackCall(grpc_call* call) {
  const bool is_one = *reinterpret_cast<void* const* const*>(call) == &kFilterStackCallTable[2];
  return is_one ? reinterpret_cast<FilterStackCall*>(call) : nullptr;
}

// See threads/core_context.h.
class ExecCtx {
 public:
  // Does what waits in it; whether there was anything.
  bool Flush();

  static thread_local ExecCtx* exec_ctx_;  // the thread's innermost
};

}  // namespace grpc_core
