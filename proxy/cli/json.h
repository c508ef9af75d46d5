// protobuf's JSON with the names of the fields as the API writes them. Pure functions.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

// In one line.
std::string ToJsonLine(const google::protobuf::Message& message);
// The streams of a page, a line for each. Converts the page at once: protobuf looks all types up
// anew in each conversion, which for one stream takes several times as long as the rest.
std::string ToJsonLines(const admin::v1::ListStreamsResponse& page);

}  // namespace lanekeeper
