// protobuf's JSON in one line, with the names of the fields as the API writes them.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace lanekeeper {

std::string ToJsonLine(const google::protobuf::Message& message);

}  // namespace lanekeeper
