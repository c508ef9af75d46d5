// What the official cases send: sizes, keys and values, by the description's numbers.
#pragma once

#include "grpc/testing/messages.pb.h"

namespace lanekeeper::testing {

inline constexpr int kLargeRequestBytes = 271828;
inline constexpr int kLargeResponseBytes = 314159;

inline constexpr char kEchoInitialKey[] = "x-grpc-test-echo-initial";
inline constexpr char kEchoTrailingKey[] = "x-grpc-test-echo-trailing-bin";

inline grpc::testing::Payload Zeros(int bytes) {
  grpc::testing::Payload payload;
  payload.set_body(std::string(static_cast<size_t>(bytes), '\0'));
  return payload;
}

inline grpc::testing::SimpleRequest LargeRequest() {
  grpc::testing::SimpleRequest request;
  request.set_response_size(kLargeResponseBytes);
  *request.mutable_payload() = Zeros(kLargeRequestBytes);
  return request;
}

// Of a stream: `request_bytes` up, and one response for each of the sizes.
inline grpc::testing::StreamingOutputCallRequest StreamRequest(
    int request_bytes, const std::vector<int>& response_bytes) {
  grpc::testing::StreamingOutputCallRequest request;
  if (request_bytes > 0) *request.mutable_payload() = Zeros(request_bytes);
  for (const int bytes : response_bytes) request.add_response_parameters()->set_size(bytes);
  return request;
}

}  // namespace lanekeeper::testing
