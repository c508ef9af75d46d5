#include "proxy/rpc/response_fields.h"

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/status.h"

namespace lanekeeper {

TranslatedResponse TranslateResponse(const http2::FieldList& received) {
  TranslatedResponse result;
  result.fields.Reserve(received.size(), received.bytes());
  const std::string_view connection = received.Find("connection");
  for (size_t i = 0; i < received.size(); ++i) {
    const http2::Field field = received[i];
    if (field.name.starts_with(':') && field.name != ":status") {
      result.illegal = PrintableField(field.name);
      return result;
    }
    if (!field.name.starts_with(':')) {
      const FieldVerdict verdict = JudgeField(field.name, field.value);
      if (verdict == FieldVerdict::kIllegal && field.name == "grpc-message") {
        result.fields.Add(field.name, EncodeControls(field.value), field.never_index);
        continue;
      }
      if (verdict == FieldVerdict::kIllegal) {
        result.illegal = PrintableField(field.name);
        return result;
      }
      if (verdict == FieldVerdict::kStrip) continue;
      if (!connection.empty() && NamedInConnection(connection, field.name)) continue;
    }
    result.fields.Add(field.name, field.value, field.never_index);
  }
  return result;
}

}  // namespace lanekeeper
