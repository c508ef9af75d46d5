// Header fields as nghttp2 takes them.
#pragma once

#include <nghttp2/nghttp2.h>

#include <string_view>

namespace bench {

// Not copied by nghttp2: both must outlive the stream.
constexpr uint8_t kNotCopied = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;

inline nghttp2_nv Header(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), kNotCopied};
}

inline const nghttp2_nv kContentType = Header("content-type", "application/grpc");
inline const nghttp2_nv kGrpcStatusOk = Header("grpc-status", "0");

}  // namespace bench
