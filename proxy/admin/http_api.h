// The admin API as JSON, and the live page: turns a request into a call of AdminCalls and its
// answer into a response. Borrows all it uses. Any thread; a watch takes the thread that serves it
// until it ends.
#pragma once

#include <grpcpp/support/status.h>
#include <httplib.h>

#include <optional>
#include <string>
#include <utility>

#include "proxy/admin/admin_calls.h"
#include "proxy/admin/http_stream.h"
#include "proxy/admin/watch.h"

namespace lanekeeper {

class HttpApi {
 public:
  // The host of admin.address; empty with a unix socket.
  HttpApi(AdminCalls& calls, Watchers& watchers, std::string host)
      : calls_(calls), watchers_(watchers), host_(std::move(host)) {}

  // True when the request is answered without its body: a GET, or one that is refused.
  bool AnswerHead(const httplib::Request& request, HttpStream& stream, httplib::Response& response);
  // A POST that AnswerHead has let pass.
  void AnswerPost(const httplib::Request& request, const std::string& who,
                  httplib::Response& response);
  // Says in JSON what the library itself refuses.
  static void ExplainError(httplib::Response& response);
  // What every response carries.
  static httplib::Headers Headers();

 private:
  struct Route;

  // Nothing for a path that does not exist.
  static std::optional<Route> FindRoute(const std::string& path);
  void AnswerGet(const Route& route, const httplib::Request& request, HttpStream& stream,
                 httplib::Response& response);
  void ListStreams(const httplib::Request& request, httplib::Response& response);
  void WatchStreams(const httplib::Request& request, HttpStream& stream,
                    httplib::Response& response);
  void GetStream(const std::string& id, httplib::Response& response);
  void CancelStream(const std::string& id, const httplib::Request& request, const std::string& who,
                    httplib::Response& response);
  void Reload(const httplib::Request& request, const std::string& who, httplib::Response& response);

  AdminCalls& calls_;
  Watchers& watchers_;
  const std::string host_;
};

}  // namespace lanekeeper
