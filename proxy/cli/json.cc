#include "proxy/cli/json.h"

#include <google/protobuf/util/json_util.h>

namespace lanekeeper {

std::string ToJsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails only for times out of protobuf's range, which no daemon of ours sends.
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json + "\n"
                     : R"({"error":"cannot be written as JSON"})"
                       "\n";
}

}  // namespace lanekeeper
