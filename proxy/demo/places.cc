#include "proxy/demo/places.h"

#include <cstdlib>

namespace lanekeeper {

demo::Point MakePoint(int32_t latitude, int32_t longitude) {
  demo::Point point;
  point.set_latitude(latitude);
  point.set_longitude(longitude);
  return point;
}

std::string PlaceName(const demo::Point& point) {
  const int64_t sum = int64_t{point.latitude()} + point.longitude();
  if (sum % 2 != 0) return "";
  return "place " + std::to_string(point.latitude()) + "," + std::to_string(point.longitude());
}

std::vector<demo::Feature> PlacesInside(const demo::Area& area) {
  std::vector<demo::Feature> features;
  // 64 bits, so that counting past the largest int32 ends.
  for (int64_t latitude = area.south_west().latitude(); latitude <= area.north_east().latitude();
       ++latitude) {
    for (int64_t longitude = area.south_west().longitude();
         longitude <= area.north_east().longitude(); ++longitude) {
      const demo::Point point =
          MakePoint(static_cast<int32_t>(latitude), static_cast<int32_t>(longitude));
      std::string name = PlaceName(point);
      if (name.empty()) continue;
      demo::Feature& feature = features.emplace_back();
      feature.set_name(std::move(name));
      *feature.mutable_location() = point;
    }
  }
  return features;
}

int64_t Distance(const demo::Point& from, const demo::Point& to) {
  return std::abs(int64_t{from.latitude()} - to.latitude()) +
         std::abs(int64_t{from.longitude()} - to.longitude());
}

}  // namespace lanekeeper
