#include "proxy/admin/http_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "proxy/admin/http_guard.h"
#include "proxy/admin/http_messages.h"
#include "proxy/admin/page_files.h"
#include "proxy/admin/proto_conversion.h"
#include "proxy/base/text.h"
#include "proxy/base/words.h"

namespace lanekeeper {
namespace {

// What a path stands for.
enum class Endpoint {
  kPage,
  kListStreams,
  kWatchStreams,
  kGetStream,
  kCancelStream,
  kDrain,
  kSetLogLevel,
  kReload,
  kGetConfig,
  kGetVersion,
};
constexpr auto kFixedPaths =
    std::to_array<Named<Endpoint>>({{"/streams", Endpoint::kListStreams},
                                    {"/streams/watch", Endpoint::kWatchStreams},
                                    {"/drain", Endpoint::kDrain},
                                    {"/loglevel", Endpoint::kSetLogLevel},
                                    {"/reload", Endpoint::kReload},
                                    {"/config", Endpoint::kGetConfig},
                                    {"/version", Endpoint::kGetVersion}});
constexpr std::string_view kOneStream = "/streams/";
constexpr std::string_view kCancel = "/cancel";
constexpr size_t kIdBytesMax = 20;  // of the largest there is; the library's regex gets no more

constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

// "/" is the page itself; null for what is no file of it.
const PageFile* FindPageFile(std::string_view path) {
  const std::string_view name = path == "/" ? "index.html" : path.substr(1);
  const auto files = PageFiles();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const auto& one) { return one.name == name; });
  return found == files.end() ? nullptr : &*found;
}

const char* ContentType(std::string_view file) {
  const std::string_view extension = file.substr(file.rfind('.') + 1);
  if (extension == "css") return "text/css; charset=utf-8";
  if (extension == "js") return "text/javascript; charset=utf-8";
  if (extension == "svg") return "image/svg+xml";
  return "text/html; charset=utf-8";
}

// With what `call` fills in.
template <class Answer, class Call>
void RespondWith(httplib::Response& response, Call call) {
  Answer answer;
  const grpc::Status status = call(&answer);
  Respond(status, answer, response);
}

grpc::Status ParseId(const std::string& text, StreamId* id) {
  const std::optional<StreamId> parsed = ParseStreamId(text);
  *id = parsed.value_or(0);
  if (parsed) return grpc::Status::OK;
  return Invalid(
      fmt::format("expected the id of a stream, a whole number, not '{}'", Printable(text)));
}

}  // namespace

struct HttpApi::Route {
  Endpoint endpoint = Endpoint::kPage;
  std::string id;                  // of the stream, as it stands in the path
  const PageFile* file = nullptr;  // of the page

  // State changes by POST only, and POST does nothing else.
  bool is_post() const {
    return endpoint == Endpoint::kCancelStream || endpoint == Endpoint::kDrain ||
           endpoint == Endpoint::kSetLogLevel || endpoint == Endpoint::kReload;
  }
  const char* allowed() const { return is_post() ? "POST" : "GET, HEAD"; }
};

std::optional<HttpApi::Route> HttpApi::FindRoute(const std::string& path) {
  if (const auto fixed = ValueOf(kFixedPaths, path)) return Route{*fixed, "", nullptr};
  if (path.empty() || path[0] != '/') return std::nullopt;
  if (path.rfind(kOneStream, 0) != 0) {
    const PageFile* const file = FindPageFile(path);
    return file == nullptr ? std::nullopt : std::optional(Route{Endpoint::kPage, "", file});
  }
  std::string id = path.substr(kOneStream.size());
  Endpoint endpoint = Endpoint::kGetStream;
  if (id.size() > kCancel.size() && id.compare(id.size() - kCancel.size(), id.npos, kCancel) == 0) {
    id.resize(id.size() - kCancel.size());
    endpoint = Endpoint::kCancelStream;
  }
  if (id.empty() || id.size() > kIdBytesMax || id.find('/') != id.npos) return std::nullopt;
  return Route{endpoint, std::move(id), nullptr};
}

httplib::Headers HttpApi::Headers() {
  return {{"Content-Security-Policy", kContentSecurityPolicy},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cache-Control", "no-store"}};
}

bool HttpApi::AnswerHead(const httplib::Request& request, HttpStream& stream,
                         httplib::Response& response) {
  if (const std::optional<HttpRefusal> refusal = Guard(request, host_)) {
    RespondError(refusal->status, refusal->message, response);
    return true;
  }
  const std::optional<Route> route = FindRoute(request.path);
  if (!route) {
    RespondError(404, fmt::format("there is no {}", Printable(request.path)), response);
    return true;
  }
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  if (route->is_post() ? request.method != "POST" : !is_get) {
    response.set_header("Allow", route->allowed());
    RespondError(405, fmt::format("{} takes {}", Printable(request.path), route->allowed()),
                 response);
    return true;
  }
  if (route->endpoint != Endpoint::kListStreams && route->endpoint != Endpoint::kWatchStreams) {
    if (const grpc::Status status = ParseNoQuery(request.params); !status.ok()) {
      RespondError(status, response);
      return true;
    }
  }
  if (route->is_post()) return false;
  AnswerGet(*route, request, stream, response);
  return true;
}

void HttpApi::AnswerGet(const Route& route, const httplib::Request& request, HttpStream& stream,
                        httplib::Response& response) {
  switch (route.endpoint) {
    case Endpoint::kListStreams:
      return ListStreams(request, response);
    case Endpoint::kWatchStreams:
      return WatchStreams(request, stream, response);
    case Endpoint::kGetStream:
      return GetStream(route.id, response);
    case Endpoint::kGetConfig:
      return RespondWith<adminpb::GetConfigResponse>(
          response, [this](auto* answer) { return calls_.GetConfig(answer); });
    case Endpoint::kGetVersion:
      return RespondWith<adminpb::GetVersionResponse>(
          response, [this](auto* answer) { return calls_.GetVersion(answer); });
    default:
      response.status = 200;
      response.set_content(route.file->bytes.data(), route.file->bytes.size(),
                           ContentType(route.file->name));
  }
}

void HttpApi::ListStreams(const httplib::Request& request, httplib::Response& response) {
  RespondWith<adminpb::ListStreamsResponse>(response, [&](auto* answer) {
    adminpb::ListStreamsRequest asked;
    const grpc::Status status = ParseQuery(request.params, &asked);
    return status.ok() ? calls_.ListStreams(asked, answer) : status;
  });
}

void HttpApi::WatchStreams(const httplib::Request& request, HttpStream& stream,
                           httplib::Response& response) {
  adminpb::WatchStreamsRequest asked;
  const auto plan = std::make_shared<WatchPlan>();
  grpc::Status status = ParseQuery(request.params, &asked);
  if (status.ok()) status = PlanWatch(asked, plan.get());
  if (!status.ok()) return RespondError(status, response);
  // Given back when the library drops the response.
  const std::shared_ptr<Watchers> slot = watchers_.Enter();
  if (!slot) return RespondError(watchers_.Refusal(), response);
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
  RespondWith<adminpb::Stream>(response, [&](auto* answer) {
    adminpb::GetStreamRequest asked;
    StreamId parsed = 0;
    const grpc::Status status = ParseId(id, &parsed);
    asked.set_id(parsed);
    return status.ok() ? calls_.GetStream(asked, answer) : status;
  });
}

void HttpApi::CancelStream(const std::string& id, const httplib::Request& request,
                           const std::string& who, httplib::Response& response) {
  adminpb::CancelStreamRequest asked;
  adminpb::CancelStreamResponse answer;
  StreamId parsed = 0;
  grpc::Status status = ParseId(id, &parsed);
  if (status.ok()) status = FromJson(request.body, &asked);
  if (status.ok() && asked.id() != 0 && asked.id() != parsed) {
    status = Invalid("body: id is not that of the path");
  }
  asked.set_id(parsed);
  if (status.ok()) status = calls_.CancelStream(asked, who, &answer);
  Respond(status, answer, response);
}

void HttpApi::Reload(const httplib::Request& request, const std::string& who,
                     httplib::Response& response) {
  adminpb::ReloadRequest asked;
  adminpb::ReloadResponse answer;
  grpc::Status status = FromJson(request.body, &asked);
  if (status.ok()) status = calls_.Reload(asked, who, &answer);
  Respond(status, answer, response);
  // So that scripts that look at the status alone see it, with the problems in the body.
  if (answer.problems_size() > 0) response.status = 400;
}

void HttpApi::AnswerPost(const httplib::Request& request, const std::string& who,
                         httplib::Response& response) {
  const std::optional<Route> route = FindRoute(request.path);
  if (!route) return;  // not reached: AnswerHead has found it
  if (route->endpoint == Endpoint::kCancelStream) {
    CancelStream(route->id, request, who, response);
  } else if (route->endpoint == Endpoint::kReload) {
    Reload(request, who, response);
  } else if (route->endpoint == Endpoint::kDrain) {
    RespondWith<adminpb::DrainResponse>(response, [&](auto* answer) {
      adminpb::DrainRequest asked;
      const grpc::Status status = FromJson(request.body, &asked);
      return status.ok() ? calls_.Drain(who, answer) : status;
    });
  } else {
    RespondWith<adminpb::SetLogLevelResponse>(response, [&](auto* answer) {
      adminpb::SetLogLevelRequest asked;
      const grpc::Status status = FromJson(request.body, &asked);
      return status.ok() ? calls_.SetLogLevel(asked, who, answer) : status;
    });
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
