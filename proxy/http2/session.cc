#include "proxy/http2/session.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "proxy/http2/callbacks.h"
#include "proxy/http2/version.h"

namespace lanekeeper::http2 {
namespace {

// ---- memory: the library frees without a size, so each block begins with its own.
constexpr size_t kHeaderBytes = 16;

void* AllocateFor(Pool& pool, size_t bytes) {
  auto* header = static_cast<size_t*>(pool.Allocate(bytes + kHeaderBytes));
  *header = bytes;
  return reinterpret_cast<uint8_t*>(header) + kHeaderBytes;
}

size_t* HeaderOf(void* block) {
  return reinterpret_cast<size_t*>(static_cast<uint8_t*>(block) - kHeaderBytes);
}

void* Malloc(size_t bytes, void* pool) { return AllocateFor(*static_cast<Pool*>(pool), bytes); }

void Free(void* block, void* pool) {
  if (block == nullptr) return;
  size_t* header = HeaderOf(block);
  static_cast<Pool*>(pool)->Deallocate(header, *header + kHeaderBytes);
}

void* Calloc(size_t count, size_t bytes, void* pool) {
  void* block = Malloc(count * bytes, pool);
  std::memset(block, 0, count * bytes);
  return block;
}

void* Realloc(void* block, size_t bytes, void* pool) {
  if (block == nullptr) return Malloc(bytes, pool);
  const size_t before = *HeaderOf(block);
  void* larger = Malloc(bytes, pool);
  std::memcpy(larger, block, std::min(before, bytes));
  Free(block, pool);
  return larger;
}

}  // namespace

const nghttp2_nv* NameValues::From(const FieldList& fields, Bytes bytes) {
  const int flags = bytes == Bytes::kBorrowed
                        ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
                        : NGHTTP2_NV_FLAG_NONE;
  pairs_.clear();
  for (const Field field : fields) {
    pairs_.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data())),
                      reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data())),
                      field.name.size(), field.value.size(),
                      static_cast<uint8_t>(flags | (field.never_index ? NGHTTP2_NV_FLAG_NO_INDEX
                                                                      : NGHTTP2_NV_FLAG_NONE))});
  }
  return pairs_.data();
}

nghttp2_data_provider DataOf(Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &Callbacks::ReadData;
  return provider;
}

namespace {

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};

std::unique_ptr<nghttp2_option, OptionDeleter> NewOptions(Side side) {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, 1);
  // Header fields are judged by us (grpc/metadata): the library would drop or reset in silence.
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
  nghttp2_option_set_max_continuations(option, 128);
  if (side == Side::kDownstream) {
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_server_fallback_rfc7540_priorities(option, 0);
    // FloodGuard counts resets: the library's limit ends honest clients.
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
  } else {
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    // Our start queue asks for the limit itself.
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
  }
  return std::unique_ptr<nghttp2_option, OptionDeleter>(option);
}

std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter> NewCallbacks() {
  nghttp2_session_callbacks* to = nullptr;
  nghttp2_session_callbacks_new(&to);
  nghttp2_session_callbacks_set_on_begin_headers_callback(to, &Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(to, &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(to, &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, &Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(to, &Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_on_frame_send_callback(to, &Callbacks::OnFrameSend);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(to, &Callbacks::OnFrameNotSend);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(to, &Callbacks::OnInvalidFrame);
  nghttp2_session_callbacks_set_send_data_callback(to, &Callbacks::SendData);
  return std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>(to);
}

}  // namespace

nghttp2_session* NewSession(Connection& connection, const ConnectionOptions& options, Pool& pool) {
  const auto option = NewOptions(options.side);
  const auto callbacks = NewCallbacks();
  nghttp2_mem memory{&pool, &Malloc, &Free, &Calloc, &Realloc};
  nghttp2_session* session = nullptr;
  if (options.side == Side::kDownstream)
    nghttp2_session_server_new3(&session, callbacks.get(), &connection, option.get(), &memory);
  else
    nghttp2_session_client_new3(&session, callbacks.get(), &connection, option.get(), &memory);
  return session;
}

}  // namespace lanekeeper::http2

namespace lanekeeper {

std::string_view Nghttp2Version() { return nghttp2_version(0)->version_str; }

}  // namespace lanekeeper
