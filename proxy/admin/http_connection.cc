#include "proxy/admin/http_connection.h"

#include <spdlog/spdlog.h>

#include <exception>

#include "proxy/admin/http_messages.h"
#include "proxy/base/text.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {
namespace {

constexpr size_t kBodyBytesMax = 64 * 1024;

// After the head has been read, before anything is made of it.
void Amend(httplib::Request& request) {
  // What is asked for over loopback need not be compressed, nor sent in pieces: many overlapping
  // ones would be a multiple of it.
  request.headers.erase("Accept-Encoding");
  request.ranges.clear();
  // Without a length there is no body (RFC 9112 section 6.3), for which the library would wait.
  if (request.method != "GET" && !request.has_header("Content-Length") &&
      !request.has_header("Transfer-Encoding")) {
    request.headers.emplace("Content-Length", "0");
  }
}

}  // namespace

HttpConnection::HttpConnection(const Connection& connection, HttpStream::Limits limits,
                               HttpApi& api)
    : api_(api), stream_(connection.fd(), limits) {
  // The library takes a server without a socket for one that ends, and leaves answers unfinished.
  svr_sock_ = connection.fd();
  set_payload_max_length(kBodyBytesMax);
  set_default_headers(HttpApi::Headers());
  set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) -> HandlerResponse {
        return api_.AnswerHead(request, stream_, response) ? HandlerResponse::Handled
                                                           : HandlerResponse::Unhandled;
      });
  // AnswerHead lets only paths pass that exist.
  Post("/.*", [this](const httplib::Request& request, httplib::Response& response) {
    api_.AnswerPost(request, PeerName(svr_sock_), response);
  });
  set_error_handler(Handler([](const httplib::Request&, httplib::Response& response) {
    HttpApi::ExplainError(response);
  }));
  set_exception_handler([](const httplib::Request& request, httplib::Response& response,
                           const std::exception_ptr& problem) {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& error) {
      spdlog::error("admin: {} {} failed: {}", request.method, Printable(request.path),
                    error.what());
    }
    RespondError(500, "see the log", response);
  });
}

void HttpConnection::Run() {
  bool closes = true;
  process_request(stream_, closes, closes, Amend);
  stream_.Finish();
}

}  // namespace lanekeeper
