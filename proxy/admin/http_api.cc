#include "proxy/admin/http_api.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "proxy/admin/http_json.h"
#include "proxy/admin/http_query.h"
#include "proxy/admin/proto_conversion.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

using What = HttpRoute::What;

constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const char* ContentType(std::string_view file) {
  const std::string_view extension = file.substr(file.rfind('.') + 1);
  if (extension == "css") return "text/css; charset=utf-8";
  if (extension == "js") return "text/javascript; charset=utf-8";
  if (extension == "svg") return "image/svg+xml";
  return "text/html; charset=utf-8";
}

grpc::Status ParseId(const std::string& text, StreamId* id) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *id);
  if (error == std::errc() && stop == end) return grpc::Status::OK;
  return {grpc::StatusCode::INVALID_ARGUMENT,
          fmt::format("expected the id of a stream, a whole number, not '{}'", Printable(text))};
}

}  // namespace

httplib::Headers HttpApi::Headers() {
  return {{"Content-Security-Policy", kContentSecurityPolicy},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cache-Control", "no-store"}};
}

bool HttpApi::AnswerHead(const httplib::Request& request, HttpStream& stream,
                         httplib::Response& response) {
  if (const std::optional<HttpRefusal> refusal = guard_.Check(request)) {
    RespondError(refusal->status, refusal->message, response);
    return true;
  }
  const std::optional<HttpRoute> route = FindRoute(request.path);
  if (!route) {
    RespondError(404, fmt::format("there is no {}", Printable(request.path)), response);
    return true;
  }
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  if (route->is_post() ? request.method != "POST" : !is_get) {
    response.set_header("Allow", route->allowed());
    RespondError(405, fmt::format("{} takes {}", request.path, route->allowed()), response);
    return true;
  }
  if (route->what != What::kListStreams && route->what != What::kWatchStreams) {
    if (const grpc::Status status = ParseNoQuery(request.params); !status.ok()) {
      RespondError(status, response);
      return true;
    }
  }
  if (route->is_post()) return false;
  AnswerGet(*route, request, stream, response);
  return true;
}

void HttpApi::AnswerGet(const HttpRoute& route, const httplib::Request& request, HttpStream& stream,
                        httplib::Response& response) {
  switch (route.what) {
    case What::kListStreams:
      return ListStreams(request, response);
    case What::kWatchStreams:
      return WatchStreams(request, stream, response);
    case What::kGetStream:
      return GetStream(route.id, response);
    case What::kGetConfig: {
      adminpb::GetConfigResponse answer;
      const grpc::Status status = calls_.GetConfig(&answer);
      return Respond(status, answer, response);
    }
    case What::kGetVersion: {
      adminpb::GetVersionResponse answer;
      const grpc::Status status = calls_.GetVersion(&answer);
      return Respond(status, answer, response);
    }
    default:
      response.status = 200;
      response.set_content(route.file->bytes.data(), route.file->bytes.size(),
                           ContentType(route.file->name));
  }
}

void HttpApi::ListStreams(const httplib::Request& request, httplib::Response& response) {
  adminpb::ListStreamsRequest asked;
  adminpb::ListStreamsResponse answer;
  grpc::Status status = ParseQuery(request.params, &asked);
  if (status.ok()) status = calls_.ListStreams(asked, &answer);
  Respond(status, answer, response);
}

void HttpApi::WatchStreams(const httplib::Request& request, HttpStream& stream,
                           httplib::Response& response) {
  adminpb::WatchStreamsRequest asked;
  const auto plan = std::make_shared<WatchPlan>();
  grpc::Status status = ParseQuery(request.params, &asked);
  if (status.ok()) status = PlanWatch(asked, plan.get());
  if (!status.ok()) return RespondError(status, response);
  auto entered = watchers_.Enter();
  if (!entered) return RespondError(watchers_.Refusal(), response);
  // Given back when the library drops the response.
  const auto slot = std::make_shared<Watchers::Slot>(std::move(*entered));
  response.status = 200;
  response.set_chunked_content_provider(
      "application/x-ndjson", [this, plan, slot, &stream](size_t, httplib::DataSink& sink) {
        stream.AnswerWithoutEnd();
        RunWatch(calls_.control(), *plan, watchers_,
                 {.gone = [&stream] { return stream.PeerHasEnded(); },
                  .send =
                      [&sink](const adminpb::WatchStreamsResponse& found) {
                        const std::string line = ToJsonOrError(found) + "\n";
                        return sink.write(line.data(), line.size());
                      }});
        sink.done();
        return true;
      });
}

void HttpApi::GetStream(const std::string& id, httplib::Response& response) {
  adminpb::GetStreamRequest asked;
  adminpb::Stream answer;
  StreamId parsed = 0;
  grpc::Status status = ParseId(id, &parsed);
  asked.set_id(parsed);
  if (status.ok()) status = calls_.GetStream(asked, &answer);
  Respond(status, answer, response);
}

void HttpApi::CancelStream(const std::string& id, const httplib::Request& request,
                           const std::string& who, httplib::Response& response) {
  adminpb::CancelStreamRequest asked;
  adminpb::CancelStreamResponse answer;
  StreamId parsed = 0;
  grpc::Status status = ParseId(id, &parsed);
  if (status.ok()) status = FromJson(request.body, &asked);
  if (status.ok() && asked.id() != 0 && asked.id() != parsed) {
    status = {grpc::StatusCode::INVALID_ARGUMENT, "body: id is not that of the path"};
  }
  asked.set_id(parsed);
  if (status.ok()) status = calls_.CancelStream(asked, who, &answer);
  Respond(status, answer, response);
}

void HttpApi::AnswerPost(const httplib::Request& request, const std::string& who,
                         httplib::Response& response) {
  const std::optional<HttpRoute> route = FindRoute(request.path);
  if (!route) return;  // not reached: AnswerHead has found it
  if (route->what == What::kCancelStream) {
    CancelStream(route->id, request, who, response);
  } else if (route->what == What::kDrain) {
    adminpb::DrainRequest asked;
    adminpb::DrainResponse answer;
    grpc::Status status = FromJson(request.body, &asked);
    if (status.ok()) status = calls_.Drain(who, &answer);
    Respond(status, answer, response);
  } else {
    adminpb::SetLogLevelRequest asked;
    adminpb::SetLogLevelResponse answer;
    grpc::Status status = FromJson(request.body, &asked);
    if (status.ok()) status = calls_.SetLogLevel(asked, who, &answer);
    Respond(status, answer, response);
  }
}

void HttpApi::ExplainError(httplib::Response& response) {
  if (!response.body.empty()) return;
  const int status = response.status;
  RespondError(status,
               status == 413   ? "the body is too large"
               : status == 414 ? "the path and query are too long"
                               : "this is not a request as HTTP/1.1 has them",
               response);
}

}  // namespace lanekeeper
