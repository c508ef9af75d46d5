// What libnghttp2 calls while it reads and writes for a Connection. All of it runs with the
// connection's lock held.
#pragma once

#include "tests/conformance/wire/connection.h"

namespace lanekeeper::testing::wire {

struct SessionCallbacks {
  // For a session whose user data is its Connection; the caller deletes them.
  static nghttp2_session_callbacks* New();

  // Of the data provider of a step: reads the front step of the stream that it points at.
  static ssize_t ReadStep(nghttp2_session*, int32_t, uint8_t* to, size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void*);

  static ssize_t Send(nghttp2_session*, const uint8_t* data, size_t size, int, void* user);
  static int BeforeSend(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static ssize_t Padding(nghttp2_session*, const nghttp2_frame* frame, size_t max, void* user);
  static int Sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int NotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user);
  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int Field(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                   nghttp2_rcbuf* value, uint8_t, void* user);
  static int Data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                  void* user);
  static int Frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int Closed(nghttp2_session*, int32_t id, uint32_t, void* user);
};

}  // namespace lanekeeper::testing::wire
