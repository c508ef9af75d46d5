// Streams as an admin API may describe them. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/base/proto.h"
#include "proxy/cli/format.h"

namespace lanekeeper {

inline admin::v1::Lane MakeLane(admin::v1::Lane::State state, admin::v1::WaitingFor waiting_for,
                                std::chrono::milliseconds state_for, uint64_t messages = 0,
                                uint64_t bytes = 0) {
  admin::v1::Lane lane;
  lane.set_state(state);
  lane.set_waiting_for(waiting_for);
  *lane.mutable_state_for() = ToProto(state_for);
  lane.set_messages(messages);
  lane.set_bytes(bytes);
  return lane;
}

// Echoes: each side waits for the sender.
inline admin::v1::Stream IdleStream(uint64_t id, std::chrono::milliseconds idle) {
  admin::v1::Stream stream;
  stream.set_id(id);
  stream.set_method("/shop.Orders/Chat");
  stream.set_downstream_peer("ipv4:127.0.0.1:40002");
  *stream.mutable_age() = ToProto(idle * 2);
  stream.set_thread_kind(admin::v1::USER);
  stream.set_attempts(1);
  stream.set_answered(true);
  *stream.mutable_to_upstream() =
      MakeLane(admin::v1::Lane::RECEIVING, admin::v1::SENDER, idle, 3, 96);
  *stream.mutable_to_downstream() =
      MakeLane(admin::v1::Lane::RECEIVING, admin::v1::SENDER, idle, 3, 96);
  return stream;
}

// Its application does not read its answers.
inline admin::v1::Stream StuckStream(uint64_t id, std::chrono::milliseconds lasted) {
  admin::v1::Stream stream = IdleStream(id, lasted);
  stream.set_method("/shop.Orders/Watch");
  *stream.mutable_age() = ToProto(std::chrono::seconds(312));
  *stream.mutable_to_upstream() =
      MakeLane(admin::v1::Lane::HALF_CLOSED, admin::v1::NOBODY, std::chrono::seconds(312), 1, 120);
  *stream.mutable_to_downstream() =
      MakeLane(admin::v1::Lane::SENDING, admin::v1::RECEIVER, lasted, 12, 1258291);
  stream.mutable_stall()->set_kind(admin::v1::Stall::SLOW_RECEIVER);
  stream.mutable_stall()->set_direction(admin::v1::Stall::TO_DOWNSTREAM);
  *stream.mutable_stall()->mutable_lasted() = ToProto(lasted);
  return stream;
}

inline admin::v1::Totals SampleTotals() {
  admin::v1::Totals totals;
  totals.set_streams_open(120);
  totals.set_streams_half_closed(10);
  totals.set_streams_stuck(1);
  totals.set_streams_awaiting_upstream(0);
  totals.set_downstream_connections(50);
  totals.set_upstream_connections(1);
  totals.set_upstream_state("ready");
  totals.set_upstream_address("dns:///orders.shop.svc:50051");
  totals.set_streams_matching(2);
  return totals;
}

}  // namespace lanekeeper
