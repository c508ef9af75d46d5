#include "proxy/cli/json.h"

#include <google/protobuf/util/json_util.h>

#include <string_view>

namespace lanekeeper {
namespace {

// The objects of the first array in `json`, one a line.
std::string CutIntoLines(std::string_view json) {
  std::string lines;
  lines.reserve(json.size());
  int depth = 0;
  bool in_string = false;
  size_t begin = 0;
  for (size_t i = json.find('[') + 1; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      if (depth++ == 0) begin = i;
    } else if (c == '}') {
      if (--depth == 0) lines.append(json.substr(begin, i + 1 - begin)) += '\n';
    } else if (c == ']' && depth == 0) {
      break;
    }
  }
  return lines;
}

}  // namespace

std::string ToJsonLines(const admin::v1::ListStreamsResponse& page) {
  if (page.streams().empty()) return "";
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(page, &json, options);
  if (status.ok()) return CutIntoLines(json);
  // One that cannot be written must not hide the others.
  std::string lines;
  for (const admin::v1::Stream& stream : page.streams()) lines += ToJsonLine(stream);
  return lines;
}

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
