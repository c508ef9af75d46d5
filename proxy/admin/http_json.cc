#include "proxy/admin/http_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

namespace lanekeeper {
namespace {

constexpr char kJson[] = "application/json";

const char* CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}

const char* CodeName(int http_status) {
  switch (http_status) {
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 405:
      return "UNIMPLEMENTED";
    case 413:
      return "RESOURCE_EXHAUSTED";
    case 503:
      return "UNAVAILABLE";
    default:
      return http_status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
  }
}

// Protobuf leaves lists without entries out unless told to print whatever is unset.
bool HasEmptyList(const google::protobuf::Message& message) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->is_repeated() && message.GetReflection()->FieldSize(message, field) == 0)
      return true;
  }
  return false;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  // Only then: it takes six times as long, and there may be 10,000 streams.
  options.always_print_primitive_fields = HasEmptyList(message);
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Not reached: every string has been made UTF-8, every duration is in range.
  return status.ok() ? json : ErrorJson("INTERNAL", status.ToString());
}

grpc::Status FromJson(const std::string& body, google::protobuf::Message* message) {
  if (body.empty()) return grpc::Status::OK;
  const auto status = google::protobuf::util::JsonStringToMessage(body, message);
  if (status.ok()) return grpc::Status::OK;
  return {grpc::StatusCode::INVALID_ARGUMENT, "body: " + std::string(status.message())};
}

std::string ErrorJson(const std::string& code, const std::string& message) {
  return nlohmann::json{{"code", code}, {"message", message}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int HttpStatus(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return 200;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
      return 400;
    case grpc::StatusCode::NOT_FOUND:
      return 404;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::UNAVAILABLE:
      return 503;
    default:
      return 500;
  }
}

void Respond(const grpc::Status& status, const google::protobuf::Message& message,
             httplib::Response& response) {
  if (!status.ok()) return RespondError(status, response);
  response.status = 200;
  response.set_content(ToJson(message), kJson);
}

void RespondError(const grpc::Status& status, httplib::Response& response) {
  response.status = HttpStatus(status.error_code());
  response.set_content(ErrorJson(CodeName(status.error_code()), status.error_message()), kJson);
}

void RespondError(int http_status, const std::string& message, httplib::Response& response) {
  response.status = http_status;
  response.set_content(ErrorJson(CodeName(http_status), message), kJson);
}

}  // namespace lanekeeper
