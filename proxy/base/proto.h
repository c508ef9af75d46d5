// What everybody who handles messages of protobuf needs: JSON, durations, and the words of enums.
// Pure functions; any thread.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/generated_enum_reflection.h>
#include <google/protobuf/message.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

// In one line, with the names of the fields as the API writes them, lists also where they are
// empty. Nothing for times out of protobuf's range.
std::optional<std::string> ToJson(const google::protobuf::Message& message);

google::protobuf::Duration ToProto(std::chrono::nanoseconds duration);
// Longer than we can count is as long as we can count.
std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration);

// The name of an enum's value in lower case, as in labels and logs: "half_closed". Empty for a
// number without a name. Back in any case, but for names that stand for no value.
std::string WordOf(const google::protobuf::EnumDescriptor& names, int number);
std::optional<int> NumberOf(const google::protobuf::EnumDescriptor& names, std::string_view word);

template <class Enum>
std::string WordOf(Enum value) {
  return WordOf(*google::protobuf::GetEnumDescriptor<Enum>(), value);
}

template <class Enum>
std::optional<Enum> FromWord(std::string_view word) {
  const auto number = NumberOf(*google::protobuf::GetEnumDescriptor<Enum>(), word);
  return number ? std::optional(static_cast<Enum>(*number)) : std::nullopt;
}

}  // namespace lanekeeper
