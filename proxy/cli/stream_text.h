// What the admin API says about streams, as text for people: escaped, in plain ASCII. Pure
// functions; any thread.
#pragma once

#include <string>

#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

// The names of the API's enumerations in lower case: "half_closed", "slow_receiver".
std::string Label(admin::v1::Lane::State state);
std::string Label(admin::v1::WaitingFor waiting_for);
std::string Label(admin::v1::Stall::Kind kind);
std::string Label(admin::v1::Stall::Direction direction);
std::string Label(admin::v1::StreamEvent::Kind kind);

// "sending: receiver 31s", "half_closed 5m12s".
std::string LaneStateText(const admin::v1::Lane& lane);
// "12 msg 1.2MiB".
std::string LaneCountText(const admin::v1::Lane& lane);
// "slow_receiver to_downstream 31s", "upstream_window to_upstream 31s, held by streams 12, 15";
// empty when the stream is not stuck.
std::string StallText(const admin::v1::Stream& stream);
// The downstream's address without the "ipv4:" that nearly all begin with.
std::string PeerText(const admin::v1::Stream& stream);

// Several lines: everything that is known of it.
std::string StreamDetails(const admin::v1::Stream& stream);

// "120 streams open, 3 stuck, 10 half-closed, 0 awaiting the upstream".
std::string OpenStreamsText(const admin::v1::Totals& totals);
// "50 connections -> 1 upstream connection (ready)".
std::string FanInText(const admin::v1::Totals& totals);

// "stuck 17 /shop.Orders/Watch slow_receiver to_downstream 31s".
std::string EventText(const admin::v1::StreamEvent& event);

}  // namespace lanekeeper
