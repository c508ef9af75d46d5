// Snapshots and totals as messages of the admin API, and filters back from them. Every scalar is
// set, also where it is zero: see admin.proto. Values only; any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <chrono>
#include <string>
#include <string_view>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/admin/control.h"
#include "proxy/observe/stream_snapshot.h"

namespace lanekeeper {

namespace adminpb = ::lanekeeper::admin::v1;

void ToProto(const StreamSnapshot& snapshot, adminpb::Stream* to);
void ToProto(const StreamTotals& totals, const std::string& upstream_address, uint64_t matching,
             adminpb::Totals* to);
void ToProto(std::chrono::nanoseconds duration, google::protobuf::Duration* to);
void ToProto(std::chrono::system_clock::time_point time, google::protobuf::Timestamp* to);

// INVALID_ARGUMENT, saying what was expected, for a filter that means nothing.
grpc::Status FromProto(const adminpb::StreamFilter& filter, StreamFilter* to);
// Longer than we can count is as long as we can count.
std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration);

// What peers have sent may be any bytes, and proto strings must be UTF-8: all but printable ASCII
// becomes "\xNN".
std::string Printable(std::string_view text);

}  // namespace lanekeeper
