#include "proxy/demo/services.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/demo/places.h"

namespace lanekeeper {
namespace {

constexpr int kMostCopies = 100000;
// Notes one RouteChat may leave; they are all kept until it ends.
constexpr int kMostNotes = 10000;

int64_t Side(int32_t from, int32_t to) { return int64_t{to} - from; }

}  // namespace

grpc::Status EchoService::Unary(grpc::ServerContext*, const demo::EchoRequest* request,
                                demo::EchoResponse* response) {
  response->set_text(request->text());
  return grpc::Status::OK;
}

grpc::Status EchoService::ServerStream(grpc::ServerContext*, const demo::EchoRequest* request,
                                       grpc::ServerWriter<demo::EchoResponse>* writer) {
  if (request->copies() < 0 || request->copies() > kMostCopies) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "copies must be between 0 and " + std::to_string(kMostCopies)};
  }
  demo::EchoResponse response;
  response.set_text(request->text());
  for (int number = 0; number < request->copies(); ++number) {
    response.set_number(number);
    // The client is gone: its status is already decided, ours no longer counts.
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

grpc::Status EchoService::ClientStream(grpc::ServerContext*,
                                       grpc::ServerReader<demo::EchoRequest>* reader,
                                       demo::EchoResponse* response) {
  // One answer must hold it all, so an endless stream has to be refused somewhere.
  constexpr size_t kLongestAnswer = size_t{1} << 20;
  std::string joined;
  int count = 0;
  demo::EchoRequest request;
  while (reader->Read(&request)) {
    if (count > 0) joined += ' ';
    joined += request.text();
    ++count;
    if (joined.size() > kLongestAnswer) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the joined text exceeds 1 MiB"};
    }
  }
  response->set_text(std::move(joined));
  response->set_number(count);
  return grpc::Status::OK;
}

grpc::Status EchoService::BidiStream(
    grpc::ServerContext*, grpc::ServerReaderWriter<demo::EchoResponse, demo::EchoRequest>* stream) {
  demo::EchoRequest request;
  demo::EchoResponse response;
  for (int number = 0; stream->Read(&request); ++number) {
    response.set_text(request.text());
    response.set_number(number);
    if (!stream->Write(response)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

grpc::Status RouteGuideService::GetFeature(grpc::ServerContext*, const demo::Point* point,
                                           demo::Feature* feature) {
  feature->set_name(PlaceName(*point));
  *feature->mutable_location() = *point;
  return grpc::Status::OK;
}

grpc::Status RouteGuideService::ListFeatures(grpc::ServerContext*, const demo::Area* area,
                                             grpc::ServerWriter<demo::Feature>* writer) {
  const demo::Point& south_west = area->south_west();
  const demo::Point& north_east = area->north_east();
  if (Side(south_west.latitude(), north_east.latitude()) > kLargestAreaSide ||
      Side(south_west.longitude(), north_east.longitude()) > kLargestAreaSide) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "an area's sides must not exceed " + std::to_string(kLargestAreaSide) + " degrees"};
  }
  for (const demo::Feature& feature : PlacesInside(*area)) {
    if (!writer->Write(feature)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

grpc::Status RouteGuideService::RecordRoute(grpc::ServerContext*,
                                            grpc::ServerReader<demo::Point>* reader,
                                            demo::RouteSummary* summary) {
  int points = 0;
  int features = 0;
  int64_t distance = 0;
  std::optional<demo::Point> previous;
  demo::Point point;
  while (reader->Read(&point)) {
    ++points;
    if (!PlaceName(point).empty()) ++features;
    if (previous) distance += Distance(*previous, point);
    previous = point;
  }
  summary->set_points(points);
  summary->set_features(features);
  summary->set_distance(distance);
  return grpc::Status::OK;
}

grpc::Status RouteGuideService::RouteChat(
    grpc::ServerContext*, grpc::ServerReaderWriter<demo::RouteNote, demo::RouteNote>* stream) {
  std::map<std::pair<int32_t, int32_t>, std::vector<demo::RouteNote>> notes_at;
  int count = 0;
  demo::RouteNote note;
  while (stream->Read(&note)) {
    auto& earlier = notes_at[{note.location().latitude(), note.location().longitude()}];
    for (const demo::RouteNote& old : earlier) {
      if (!stream->Write(old)) return grpc::Status::CANCELLED;
    }
    earlier.push_back(note);
    if (++count > kMostNotes) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED,
              "one RouteChat may leave " + std::to_string(kMostNotes) + " notes"};
    }
  }
  return grpc::Status::OK;
}

}  // namespace lanekeeper
