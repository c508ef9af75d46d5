#include "proxy/admin/http_json.h"

#include <google/protobuf/util/json_util.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/proto.h"

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
    ErrorCode{"PERMISSION_DENIED", 403, {}},
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

}  // namespace

grpc::Status FromJson(const std::string& body, google::protobuf::Message* message) {
  if (body.empty()) return grpc::Status::OK;
  const auto status = google::protobuf::util::JsonStringToMessage(body, message);
  if (status.ok()) return grpc::Status::OK;
  return {grpc::StatusCode::INVALID_ARGUMENT, "body: " + std::string(status.message())};
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

}  // namespace lanekeeper
