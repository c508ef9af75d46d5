#include "proxy/rpc/ending.h"

namespace lanekeeper {

http2::FieldList FieldsOf(const Ending& ending, bool alone) {
  http2::FieldList fields;
  if (alone) {
    fields.Add(":status", "200");
    fields.Add("content-type", "application/grpc");
  }
  fields.Add("grpc-status", std::to_string(static_cast<int>(ending.code)));
  if (!ending.message.empty()) fields.Add("grpc-message", PercentEncode(ending.message));
  return fields;
}

}  // namespace lanekeeper
