// gRPC's status codes and what HTTP says in their place. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanekeeper {

// gRPC doc/statuscodes.md.
enum class StatusCode : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// RFC 9113 section 7.
enum class H2Error : uint32_t {
  kNoError = 0,
  kProtocolError,
  kInternalError,
  kFlowControlError,
  kSettingsTimeout,
  kStreamClosed,
  kFrameSizeError,
  kRefusedStream,
  kCancel,
  kCompressionError,
  kConnectError,
  kEnhanceYourCalm,
  kInadequateSecurity,
  kHttp11Required,
};
constexpr uint32_t Code(H2Error error) { return static_cast<uint32_t>(error); }

// What an answer without grpc-status means (gRPC doc/http-grpc-status-mapping.md).
StatusCode StatusOfHttp(int http_status);
// What a RST_STREAM means (gRPC doc/PROTOCOL-HTTP2.md).
StatusCode StatusOfReset(uint32_t http2_code);
// A grpc-status field. What is no number is UNKNOWN; numbers that gRPC does not define are kept.
int ParseStatus(std::string_view value);
// A grpc-message field.
std::string PercentEncode(std::string_view message);
// The same for one that a peer sent without encoding it (core's servers do when they abort): only
// what HTTP/2 does not allow is encoded.
std::string EncodeControls(std::string_view message);

}  // namespace lanekeeper
