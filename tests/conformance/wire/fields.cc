#include "tests/conformance/wire/fields.h"

#include <cctype>

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

std::string Unbase64(const std::string& text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = std::string_view(kAlphabet).find(c);
    if (digit == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

std::string PercentDecoded(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && std::isxdigit(text[i + 1]) != 0 &&
                        std::isxdigit(text[i + 2]) != 0;
    if (escape) {
      bytes += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

}  // namespace lanekeeper::testing::wire
