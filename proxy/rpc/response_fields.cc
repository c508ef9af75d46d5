#include "proxy/rpc/response_fields.h"

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"

namespace lanekeeper {
namespace {

enum class Verdict : uint8_t { kForward, kStrip, kEncode, kIllegal };

Verdict Judge(const http2::Field& field, std::string_view connection) {
  if (field.name.starts_with(':')) {
    return field.name == ":status" ? Verdict::kForward : Verdict::kIllegal;
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
  for (const http2::Field field : fields) {
    const Verdict verdict = Judge(field, connection);
    if (verdict == Verdict::kIllegal) return PrintableField(field.name);
    if (verdict != Verdict::kForward) changes = true;
  }
  if (!changes) return std::nullopt;
  http2::FieldList crossing;
  for (const http2::Field field : fields) {
    const Verdict verdict = Judge(field, connection);
    if (verdict == Verdict::kForward) crossing.Add(field);
    if (verdict == Verdict::kEncode)
      crossing.Add(field.name, EncodeControls(field.value), field.never_index);
  }
  fields = std::move(crossing);
  return std::nullopt;
}

}  // namespace lanekeeper
