#include "proxy/grpc/status.h"

#include <charconv>

namespace lanekeeper {

StatusCode StatusOfHttp(int http_status) {
  switch (http_status) {
    case 400:
    case 431:
      return StatusCode::kInternal;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kUnknown;
  }
}

StatusCode StatusOfReset(uint32_t http2_code) {
  switch (static_cast<H2Error>(http2_code)) {
    case H2Error::kRefusedStream:
      return StatusCode::kUnavailable;
    case H2Error::kCancel:
      return StatusCode::kCancelled;
    case H2Error::kEnhanceYourCalm:
      return StatusCode::kResourceExhausted;
    case H2Error::kInadequateSecurity:
      return StatusCode::kPermissionDenied;
    default:
      return StatusCode::kInternal;
  }
}

int ParseStatus(std::string_view value) {
  int code = 0;
  const char* end = value.data() + value.size();
  const auto result = std::from_chars(value.data(), end, code);
  // from_chars takes a minus: "-0" would be OK, which its sender did not say.
  const bool number = result.ec == std::errc() && result.ptr == end && value.front() != '-';
  return number ? code : static_cast<int>(StatusCode::kUnknown);
}

namespace {

template <class Passes>
std::string Encode(std::string_view message, Passes passes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (passes(byte)) {
      encoded += c;
      continue;
    }
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

}  // namespace

std::string PercentEncode(std::string_view message) {
  return Encode(message,
                [](unsigned char byte) { return byte >= 0x20 && byte <= 0x7e && byte != '%'; });
}

std::string EncodeControls(std::string_view message) {
  return Encode(message, [](unsigned char byte) { return byte >= 0x20 && byte != 0x7f; });
}

}  // namespace lanekeeper
