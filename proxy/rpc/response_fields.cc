#include "proxy/rpc/response_fields.h"

#include <algorithm>

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"

namespace lanekeeper {
namespace {

enum class Verdict : uint8_t { kForward, kStrip, kEncode, kIllegal };

bool IsStatus(std::string_view value) {
  return value.size() == 3 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// `first`: no field comes before it.
Verdict Judge(const http2::Field& field, std::string_view connection, bool first) {
  if (field.name.starts_with(':')) {
    const bool status = first && field.name == ":status" && IsStatus(field.value);
    return status ? Verdict::kForward : Verdict::kIllegal;
  }
  switch (JudgeField(field.name, field.value)) {
    case FieldVerdict::kStrip:
      return Verdict::kStrip;
    case FieldVerdict::kIllegal:
      return field.name == "grpc-message" ? Verdict::kEncode : Verdict::kIllegal;
    case FieldVerdict::kForward:
      break;
  }
  const bool hop = !connection.empty() && NamedInConnection(connection, field.name);
  return hop ? Verdict::kStrip : Verdict::kForward;
}

}  // namespace

std::optional<std::string> TranslateResponse(http2::FieldList& fields) {
  const std::string_view connection = fields.Find("connection");
  bool changes = false;
  bool first = true;
  for (const http2::Field field : fields) {
    const Verdict verdict = Judge(field, connection, first);
    first = false;
    if (verdict == Verdict::kIllegal) return PrintableField(field.name);
    if (verdict != Verdict::kForward) changes = true;
  }
  if (!changes) return std::nullopt;
  http2::FieldList crossing;
  first = true;
  for (const http2::Field field : fields) {
    const Verdict verdict = Judge(field, connection, first);
    first = false;
    if (verdict == Verdict::kForward) crossing.Add(field);
    if (verdict == Verdict::kEncode)
      crossing.Add(field.name, EncodeControls(field.value), field.never_index);
  }
  fields = std::move(crossing);
  return std::nullopt;
}

}  // namespace lanekeeper
