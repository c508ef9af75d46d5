#include "tests/conformance/wire/fields.h"

#include <algorithm>

namespace lanekeeper::testing::wire {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Fields operator+(Fields left, const Fields& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Fields Request(const Fields& more, const std::string& path) {
  return Fields{
             {":method", "POST"},         {":scheme", "http"}, {":path", path},
             {":authority", kAuthority},  {"te", "trailers"},  {"content-type", "application/grpc"},
             {"user-agent", "grpc-raw/1"}} +
         more;
}

Fields Response(const Fields& more) {
  return Fields{{":status", "200"}, {"content-type", "application/grpc"}} + more;
}

Fields Trailers(const std::string& status, const Fields& more) {
  return Fields{{"grpc-status", status}} + more;
}

Fields TrailersOnly(const std::string& status, const Fields& more) {
  return Response() + Trailers(status, more);
}

std::string Framed(const std::string& bytes, int flag) {
  std::string framed(1, static_cast<char>(flag));
  for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(bytes.size() >> shift);
  return framed + bytes;
}

std::string Base64(const std::string& bytes, bool padded) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    }
    const size_t digits = std::min<size_t>(3, bytes.size() - i) + 1;
    for (size_t k = 0; k < digits; ++k) text += kAlphabet[group >> (18 - 6 * k) & 63];
    if (padded) text.append(4 - digits, '=');
  }
  return text;
}

}  // namespace lanekeeper::testing::wire
