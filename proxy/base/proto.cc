#include "proxy/base/proto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <limits>

#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

using google::protobuf::EnumDescriptor;
using std::chrono::nanoseconds;

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

std::optional<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  // Only then: it takes six times as long, and there may be 10,000 streams.
  options.always_print_primitive_fields = HasEmptyList(message);
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return {};
  return json;
}

google::protobuf::Duration ToProto(nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(seconds.count());
  proto.set_nanos(static_cast<int32_t>((duration - seconds).count()));
  return proto;
}

nanoseconds FromProto(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 1;
  if (duration.seconds() > kSecondsMax) return nanoseconds::max();
  if (duration.seconds() < -kSecondsMax) return -nanoseconds::max();
  return std::chrono::seconds(duration.seconds()) + nanoseconds(duration.nanos());
}

std::string WordOf(const EnumDescriptor& names, int number) {
  const auto* value = names.FindValueByNumber(number);
  if (value == nullptr) return "";
  return Lower(value->name());
}

std::optional<int> NumberOf(const EnumDescriptor& names, std::string_view word) {
  const std::string lower = Lower(word);
  for (int i = 0; i < names.value_count(); ++i) {
    const auto& value = *names.value(i);
    if (Lower(value.name()) == lower && !lower.ends_with("_unspecified")) return value.number();
  }
  return std::nullopt;
}

}  // namespace lanekeeper
