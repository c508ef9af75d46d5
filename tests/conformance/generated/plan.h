// One RPC, decided in advance: what both peers send, and in which order they act. A single thread
// acts for both, step by step, so what is observed is a function of the plan alone.
#pragma once

#include <grpc/compression.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bytes.h"

namespace lanekeeper::testing {

struct MessagePlan {
  size_t bytes = 0;
  uint64_t content = 0;         // seed of the bytes
  bool compressible = true;     // a repeated pattern rather than noise
  bool leave_as_it_is = false;  // not compressed even if the stream is

  std::string Bytes() const;
};

enum class StepKind {
  kClientStart,  // headers; with `message` and `half_close` in the same batch
  kClientSend,   // `message`; with `half_close` in the same batch
  kClientHalfClose,
  kClientPost,     // asks for a message early; the next kClientReceive takes it
  kClientReceive,  // a message, or the end
  kClientHeaders,  // waits for the response headers
  kClientStatus,   // waits for the end
  kClientCancel,
  kClientAwaitsDeadline,

  kServerAccept,
  kServerHeaders,  // the response headers alone
  kServerSend,     // `message`, and the headers if they are still to be sent
  kServerPost,     // as kClientPost
  kServerReceive,  // a message, or the end
  kServerFinish,   // the status; with `message` and, if still to be sent, headers in the same batch
  kServerAbort,    // the status, by cancelling the call with it
  kServerDrop,     // lets go of the call without a word
  kServerClosed,   // waits until the call is over; was it cancelled?
};

struct Step {
  StepKind kind;
  std::optional<MessagePlan> message = std::nullopt;
  bool half_close = false;
  // The outcome depends on who is faster (after a cancellation, say): wait for it, record nothing.
  bool racy = false;
};

struct Plan {
  uint64_t seed = 0;
  std::string method;
  std::string kind;  // "bidi, early finish": for the reader
  MetadataPairs request_headers, response_headers, trailers;
  grpc_compression_algorithm to_upstream = GRPC_COMPRESS_NONE;
  grpc_compression_algorithm to_downstream = GRPC_COMPRESS_NONE;
  std::optional<std::chrono::milliseconds> timeout;
  int status_code = 0;
  std::string status_message;
  std::vector<Step> steps;
};

// What a seed stands for. `kind` is set; the same on every machine.
Plan GeneratePlan(uint64_t seed);

std::string Describe(const Plan& plan);
std::string Describe(const Step& step);
// Bytes for the eye: printable as they are, long ones as size and hash.
std::string Show(const std::string& bytes);
uint64_t HashOf(const std::string& bytes);

}  // namespace lanekeeper::testing
