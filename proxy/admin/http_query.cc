#include "proxy/admin/http_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "config/names.h"
#include "config/units.h"
#include "proxy/admin/proto_conversion.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

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
