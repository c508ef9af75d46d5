// One HTTP/1 request and its answer on a connection. cpp-httplib parses and writes; its server
// never listens here, but is lent a stream of ours. Borrows the connection and the API. Made, run
// and destroyed on one thread.
#pragma once

#include <httplib.h>

#include "proxy/admin/entrance.h"
#include "proxy/admin/http_api.h"
#include "proxy/admin/http_stream.h"

namespace lanekeeper {

class HttpConnection final : private httplib::Server {
 public:
  HttpConnection(const Connection& connection, HttpStream::Limits limits, HttpApi& api);

  // Returns when it is answered, or has failed.
  void Run();

 private:
  HttpApi& api_;
  HttpStream stream_;
};

}  // namespace lanekeeper
