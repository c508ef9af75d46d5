// What libnghttp2 calls, and what is done then. Internal to this folder.
#pragma once

#include <nghttp2/nghttp2.h>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {

// Every callback only records, and returns 0. Submits and getters are all that one may call of the
// session (http2's reentrancy rule).
struct Callbacks {
  static Connection& Of(void* user);
  static Stream* Find(nghttp2_session* session, int32_t id);
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame*, void* user);
  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t flags, void* user);
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static void OnHeaderBlock(Connection& connection, nghttp2_session* session,
                            const nghttp2_frame& frame, bool end);
  static void OnSettings(Connection& connection);
  static void OnPong(Connection& connection);
  static void OnGoaway(Connection& connection, const nghttp2_goaway& frame);
  static void OnGoawaySent(Connection& connection, const nghttp2_goaway& frame);
  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user);
  static int OnStreamClose(nghttp2_session* session, int32_t id, uint32_t code, void* user);
  static int OnFrameSend(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static void OnSent(Connection& connection, nghttp2_session* session, int32_t id);
  static int OnFrameNotSend(nghttp2_session* session, const nghttp2_frame* frame, int, void*);
  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int error, void* user);
  static ssize_t ReadData(nghttp2_session* session, int32_t id, uint8_t*, size_t length,
                          uint32_t* flags, nghttp2_data_source* source, void* user);
  static int SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* header, size_t length,
                      nghttp2_data_source* source, void* user);
};

}  // namespace lanekeeper::http2
