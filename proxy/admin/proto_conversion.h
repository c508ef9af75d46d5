// Snapshots as messages of the admin API, and filters back from them. Every scalar is
// set, also where it is zero: see admin.proto. Values only; any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <optional>
#include <string>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/admin/control.h"
#include "proxy/base/proto.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

void ToProto(const StreamSnapshot& snapshot, adminpb::Stream* to);
void ToProto(std::chrono::system_clock::time_point time, google::protobuf::Timestamp* to);

void ToProto(const ReloadOutcome& outcome, adminpb::ReloadResponse* to);

// INVALID_ARGUMENT with what was expected.
grpc::Status Invalid(const std::string& why);

// Nothing for what is no whole number.
std::optional<StreamId> ParseStreamId(const std::string& text);

// INVALID_ARGUMENT, saying what was expected, for a filter that means nothing.
grpc::Status FromProto(const adminpb::StreamFilter& filter, StreamFilter* to);

}  // namespace lanekeeper
