#include "proxy/admin/http_messages.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "config/names.h"
#include "config/units.h"
#include "proxy/base/proto.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

constexpr char kJson[] = "application/json";

// An error code by its name, and the status that HTTP has for it.
struct ErrorCode {
  std::string_view name;
  int http_status;
  std::optional<grpc::StatusCode> code;  // none: only HTTP has it
};
constexpr ErrorCode kInternal = {"INTERNAL", 500, grpc::StatusCode::INTERNAL};
// For an HTTP status the first one counts.
constexpr std::array kErrorCodes = {
    ErrorCode{"INVALID_ARGUMENT", 400, grpc::StatusCode::INVALID_ARGUMENT},
    ErrorCode{"FAILED_PRECONDITION", 400, grpc::StatusCode::FAILED_PRECONDITION},
    ErrorCode{"PERMISSION_DENIED", 403, grpc::StatusCode::PERMISSION_DENIED},
    ErrorCode{"NOT_FOUND", 404, grpc::StatusCode::NOT_FOUND},
    ErrorCode{"UNIMPLEMENTED", 405, {}},
    ErrorCode{"RESOURCE_EXHAUSTED", 413, {}},
    ErrorCode{"UNAVAILABLE", 503, grpc::StatusCode::UNAVAILABLE},
    ErrorCode{"RESOURCE_EXHAUSTED", 503, grpc::StatusCode::RESOURCE_EXHAUSTED},
};

const ErrorCode& Find(grpc::StatusCode code) {
  for (const ErrorCode& one : kErrorCodes) {
    if (one.code == code) return one;
  }
  return kInternal;
}

const ErrorCode& Find(int http_status) {
  for (const ErrorCode& one : kErrorCodes) {
    if (one.http_status == http_status) return one;
  }
  return http_status < 500 ? kErrorCodes.front() : kInternal;
}

// What is wrong with a value; empty when nothing is.
using Setter = std::function<std::string(const std::string& value)>;
using Setters = std::map<std::string, Setter>;

grpc::Status Parse(const httplib::Params& params, const Setters& setters) {
  for (auto param = params.begin(); param != params.end(); ++param) {
    const std::string name = Printable(param->first);
    const auto setter = setters.find(param->first);
    if (setter == setters.end()) {
      std::string known;
      for (const auto& one : setters) known += (known.empty() ? "" : ", ") + one.first;
      return Invalid(fmt::format("unknown parameter '{}'; expected {}", name,
                                 known.empty() ? "none" : "one of " + known));
    }
    if (params.count(param->first) > 1) return Invalid(name + ": given more than once");
    const std::string why = setter->second(param->second);
    if (!why.empty()) return Invalid(fmt::format("{}: {}", name, why));
  }
  return grpc::Status::OK;
}

Setter SetText(std::string* to) {
  return [to](const std::string& value) {
    *to = value;
    return std::string();
  };
}

Setter SetDuration(google::protobuf::Duration* to) {
  return [to](const std::string& value) {
    std::string why;
    const auto duration = ParseDuration(value, &why);
    if (!duration) return why;
    *to = ToProto(*duration);
    return std::string();
  };
}

Setter SetNumber(std::function<void(uint32_t number)> set) {
  return [set = std::move(set)](const std::string& value) {
    std::string why;
    const std::optional<int64_t> number = ParseWholeNumber(value, &why);
    if (!number) return why;
    set(static_cast<uint32_t>(std::min<int64_t>(*number, std::numeric_limits<uint32_t>::max())));
    return std::string();
  };
}

std::string SetState(const std::string& value, adminpb::StreamFilter* filter) {
  const auto state = FromWord<adminpb::Lane::State>(value);
  if (!state) {
    return fmt::format("expected {}, not '{}'", ChoicesOf(kLabels<LaneState>), Printable(value));
  }
  filter->set_state(*state);
  return "";
}

std::string SetStuck(const std::string& value, adminpb::StreamFilter* filter) {
  const std::optional<bool> stuck = ValueOf(kBooleans, value);
  if (!stuck) return fmt::format("expected true or false, not '{}'", Printable(value));
  filter->set_stuck(*stuck);
  return "";
}

Setters FilterSetters(adminpb::StreamFilter* filter) {
  return {{"method", SetText(filter->mutable_method())},
          {"peer", SetText(filter->mutable_peer())},
          {"state", [filter](const std::string& value) { return SetState(value, filter); }},
          {"min_age", SetDuration(filter->mutable_min_age())},
          {"stuck", [filter](const std::string& value) { return SetStuck(value, filter); }}};
}

}  // namespace

grpc::Status FromJson(const std::string& body, google::protobuf::Message* message) {
  if (body.empty()) return grpc::Status::OK;
  const auto status = google::protobuf::util::JsonStringToMessage(body, message);
  if (status.ok()) return grpc::Status::OK;
  // protobuf quotes the body, over several lines.
  const std::string why = Escaped(std::string(status.message()), {.line_ends_by_letter = true});
  return {grpc::StatusCode::INVALID_ARGUMENT, "body: " + why};
}

std::string ErrorJson(std::string_view code, std::string_view message) {
  return nlohmann::json{{"code", code}, {"message", message}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ToJsonOrError(const google::protobuf::Message& message) {
  // Not reached: every string has been made UTF-8, every duration is in range.
  if (std::optional<std::string> json = ToJson(message)) return *std::move(json);
  return ErrorJson(kInternal.name, "the answer cannot be written");
}

void Respond(const grpc::Status& status, const google::protobuf::Message& message,
             httplib::Response& response) {
  if (!status.ok()) return RespondError(status, response);
  response.status = 200;
  response.set_content(ToJsonOrError(message), kJson);
}

void RespondError(const grpc::Status& status, httplib::Response& response) {
  const ErrorCode& code = Find(status.error_code());
  response.status = code.http_status;
  response.set_content(ErrorJson(code.name, status.error_message()), kJson);
}

void RespondError(int http_status, const std::string& message, httplib::Response& response) {
  response.status = http_status;
  response.set_content(ErrorJson(Find(http_status).name, message), kJson);
}

grpc::Status ParseQuery(const httplib::Params& params, adminpb::ListStreamsRequest* request) {
  Setters setters = FilterSetters(request->mutable_filter());
  setters["page_size"] = SetNumber([request](uint32_t size) { request->set_page_size(size); });
  setters["page_token"] = SetText(request->mutable_page_token());
  return Parse(params, setters);
}

grpc::Status ParseQuery(const httplib::Params& params, adminpb::WatchStreamsRequest* request) {
  Setters setters = FilterSetters(request->mutable_filter());
  setters["interval"] = [request](const std::string& value) {
    return SetDuration(request->mutable_interval())(value);
  };
  setters["max_streams"] = SetNumber([request](uint32_t max) { request->set_max_streams(max); });
  return Parse(params, setters);
}

grpc::Status ParseNoQuery(const httplib::Params& params) { return Parse(params, {}); }

}  // namespace lanekeeper
