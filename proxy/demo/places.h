// The demo's map: a rule rather than a table, so that server and clients agree without sharing
// data. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protos/demo/route_guide.pb.h"

namespace lanekeeper {

demo::Point MakePoint(int32_t latitude, int32_t longitude);

// The name of the place at a point; empty where there is none (every second point of a row).
std::string PlaceName(const demo::Point& point);

// Every named place in the area, in the order that route_guide.proto promises.
std::vector<demo::Feature> PlacesInside(const demo::Area& area);

// Steps along latitude and longitude.
int64_t Distance(const demo::Point& from, const demo::Point& to);

}  // namespace lanekeeper
