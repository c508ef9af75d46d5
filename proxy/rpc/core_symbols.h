// Two predicates that gRPC's library exports, without a public header that declares them: both are the
// only way to learn something that a transparent proxy must know. Checked for 1.51 and current gRPC.
#pragma once

#include <grpc/compression.h>
#include <grpc/grpc.h>

// Whether an upstream's answer came as trailers only. Client calls, once initial metadata was received.
bool grpc_call_is_trailers_only(const grpc_call* call);

// The algorithm that the peer named in grpc-encoding, which core strips from the metadata it shows.
grpc_compression_algorithm grpc_call_test_only_get_compression_algorithm(grpc_call* call);
