// Makes libnghttp2's sessions: options, callbacks and an allocator on the worker's pool. Internal
// to this folder.
#pragma once

#include <nghttp2/nghttp2.h>

#include <vector>

#include "proxy/base/pool.h"
#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {

// With the library's callbacks bound to the connection. The pool outlives it.
nghttp2_session* NewSession(Connection& connection, const ConnectionOptions& options, Pool& pool);

// Fields as the library takes them. A connection keeps one for all its blocks.
class NameValues {
 public:
  enum class Bytes { kCopied, kBorrowed };  // borrowed until the stream closes
  const nghttp2_nv* From(const FieldList& fields, Bytes bytes);
  size_t size() const { return pairs_.size(); }

 private:
  std::vector<nghttp2_nv> pairs_;
};

// The source of a stream's DATA frames.
nghttp2_data_provider DataOf(Stream& stream);

}  // namespace lanekeeper::http2
