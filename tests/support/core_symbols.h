// What tests ask of the peers they make with gRPC's core, and what its library exports without a
// public header that declares it. Used with 1.51. Nothing of lanekeeper needs any of it.
#pragma once

#include <grpc/compression.h>
#include <grpc/grpc.h>

#include <cstdint>

// Whether an answer came as trailers only. Client calls, once initial metadata was received.
bool grpc_call_is_trailers_only(const grpc_call* call);

// The algorithm that the peer named in grpc-encoding, which core strips from the metadata it shows.
grpc_compression_algorithm grpc_call_test_only_get_compression_algorithm(grpc_call* call);

// The algorithms that the peer named in grpc-accept-encoding, one bit each.
uint32_t grpc_call_test_only_get_encodings_accepted_by_peer(grpc_call* call);

// The flags of the message that was received last.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);
