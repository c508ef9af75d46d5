#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "protos/demo/echo.grpc.pb.h"
#include "protos/demo/route_guide.grpc.pb.h"
#include "proxy/base/signals.h"
#include "proxy/demo/demo.h"
#include "proxy/demo/places.h"

namespace lanekeeper {
namespace {

constexpr int kMostCopies = 100000;
// Notes one RouteChat may leave; they are all kept until it ends.
constexpr int kMostNotes = 10000;

// The side of the largest area that ListFeatures walks through, in degrees.
constexpr int64_t kLargestAreaSide = 200;

int64_t Side(int32_t from, int32_t to) { return int64_t{to} - from; }

// The services of protos/demo, stateless; gRPC calls them from many threads at once.
class EchoService final : public demo::Echo::Service {
 public:
  grpc::Status Unary(grpc::ServerContext*, const demo::EchoRequest* request,
                     demo::EchoResponse* response) override {
    response->set_text(request->text());
    return grpc::Status::OK;
  }

  grpc::Status ServerStream(grpc::ServerContext*, const demo::EchoRequest* request,
                            grpc::ServerWriter<demo::EchoResponse>* writer) override {
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

  grpc::Status ClientStream(grpc::ServerContext*, grpc::ServerReader<demo::EchoRequest>* reader,
                            demo::EchoResponse* response) override {
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

  // Looks now and then, because gRPC's synchronous servers are not told.
  grpc::Status Silence(grpc::ServerContext* context, const demo::EchoRequest*,
                       demo::EchoResponse*) override {
    while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return grpc::Status::CANCELLED;
  }

  grpc::Status BidiStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<demo::EchoResponse, demo::EchoRequest>* stream) override {
    demo::EchoRequest request;
    demo::EchoResponse response;
    for (int number = 0; stream->Read(&request); ++number) {
      response.set_text(request.text());
      response.set_number(number);
      if (!stream->Write(response)) return grpc::Status::CANCELLED;
    }
    return grpc::Status::OK;
  }
};

// Over the map of places.h.
class RouteGuideService final : public demo::RouteGuide::Service {
 public:
  grpc::Status GetFeature(grpc::ServerContext*, const demo::Point* point,
                          demo::Feature* feature) override {
    feature->set_name(PlaceName(*point));
    *feature->mutable_location() = *point;
    return grpc::Status::OK;
  }

  grpc::Status ListFeatures(grpc::ServerContext*, const demo::Area* area,
                            grpc::ServerWriter<demo::Feature>* writer) override {
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

  grpc::Status RecordRoute(grpc::ServerContext*, grpc::ServerReader<demo::Point>* reader,
                           demo::RouteSummary* summary) override {
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

  grpc::Status RouteChat(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<demo::RouteNote, demo::RouteNote>* stream) override {
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
};

}  // namespace

int RunDemoUpstream(const std::string& listen) {
  // Before gRPC starts its threads, which must not take them.
  const Signals signals({SIGTERM, SIGINT});

  // Before the server: gRPC needs the services until it is gone.
  EchoService echo;
  RouteGuideService route_guide;
  int port = 0;
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Otherwise a second demo on the same port would start and take half of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  builder.RegisterService(&route_guide);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    std::cerr << "demo upstream: cannot listen on " << listen << "\n";
    return 1;
  }
  const bool is_unix = listen.starts_with("unix:");
  std::cout << "demo upstream listening on "
            << (is_unix ? listen : listen.substr(0, listen.rfind(':') + 1) + std::to_string(port))
            << std::endl;

  signals.Wait();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server->Wait();
  return 0;
}

}  // namespace lanekeeper
