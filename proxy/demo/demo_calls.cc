#include "proxy/demo/demo_calls.h"

#include <array>
#include <chrono>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/demo/places.h"

namespace lanekeeper {
namespace {

// Messages of one direction of a streaming RPC.
constexpr int kStreamLength = 8;

// A context that cannot outlast the demo: without a deadline a lost answer would hang it.
class BoundedContext : public grpc::ClientContext {
 public:
  BoundedContext() { set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }
};

// What went wrong, the status first: after a broken RPC the answers cannot be right anyway.
std::string Verdict(std::string_view method, const grpc::Status& status, bool answers_right) {
  if (!status.ok()) {
    return std::string(method) + ": status " + std::to_string(status.error_code()) + ": " +
           status.error_message();
  }
  if (!answers_right) return std::string(method) + ": OK, but the answers are wrong";
  return "";
}

demo::EchoRequest Request(const std::string& text) {
  demo::EchoRequest request;
  request.set_text(text);
  return request;
}

// A point that differs from text to text, so that parallel RPCs ask for different ones.
demo::Point PointFor(const std::string& text) {
  const auto hash = static_cast<uint32_t>(std::hash<std::string>{}(text));
  return MakePoint(static_cast<int32_t>(hash % 180), static_cast<int32_t>(hash / 180 % 360));
}

bool SamePlace(const demo::Feature& feature, const std::string& name, const demo::Point& point) {
  return feature.name() == name && Distance(feature.location(), point) == 0;
}

}  // namespace

DemoCalls::DemoCalls(const std::shared_ptr<grpc::Channel>& channel)
    : echo_(demo::Echo::NewStub(channel)), route_guide_(demo::RouteGuide::NewStub(channel)) {}

CallTally DemoCalls::Call(int method, const std::string& text) {
  using Method = CallTally (DemoCalls::*)(const std::string&);
  static constexpr std::array<Method, kMethods> kCalls = {
      &DemoCalls::EchoUnary,        &DemoCalls::GetFeature,  //
      &DemoCalls::EchoServerStream, &DemoCalls::ListFeatures,   &DemoCalls::EchoClientStream,
      &DemoCalls::RecordRoute,      &DemoCalls::EchoBidiStream, &DemoCalls::RouteChat};
  return (this->*kCalls.at(static_cast<size_t>(method)))(text);
}

CallTally DemoCalls::EchoUnary(const std::string& text) {
  BoundedContext context;
  demo::EchoResponse response;
  const grpc::Status status = echo_->Unary(&context, Request(text), &response);
  return {1, status.ok() ? 1 : 0, Verdict("Echo/Unary", status, response.text() == text)};
}

CallTally DemoCalls::EchoServerStream(const std::string& text) {
  BoundedContext context;
  demo::EchoRequest request = Request(text);
  request.set_copies(kStreamLength);
  const auto reader = echo_->ServerStream(&context, request);

  int64_t received = 0;
  bool right = true;
  demo::EchoResponse response;
  while (reader->Read(&response)) {
    right = right && response.text() == text && response.number() == received;
    ++received;
  }
  const grpc::Status status = reader->Finish();
  return {1, received, Verdict("Echo/ServerStream", status, right && received == request.copies())};
}

CallTally DemoCalls::EchoClientStream(const std::string& text) {
  BoundedContext context;
  demo::EchoResponse response;
  const auto writer = echo_->ClientStream(&context, &response);

  int64_t sent = 0;
  std::string joined;
  while (sent < kStreamLength) {
    const std::string part = text + "#" + std::to_string(sent);
    if (!writer->Write(Request(part))) break;
    joined += (sent == 0 ? "" : " ") + part;
    ++sent;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  const bool right = response.text() == joined && response.number() == sent;
  return {sent, status.ok() ? 1 : 0, Verdict("Echo/ClientStream", status, right)};
}

CallTally DemoCalls::EchoBidiStream(const std::string& text) {
  BoundedContext context;
  const auto stream = echo_->BidiStream(&context);

  // One thread sends while another receives: the concurrency that the contract allows on a stream.
  int64_t sent = 0;
  std::thread sender([&] {
    while (sent < kStreamLength && stream->Write(Request(text + "#" + std::to_string(sent)))) {
      ++sent;
    }
    stream->WritesDone();
  });
  int64_t received = 0;
  bool right = true;
  demo::EchoResponse response;
  while (stream->Read(&response)) {
    right = right && response.number() == received &&
            response.text() == text + "#" + std::to_string(received);
    ++received;
  }
  sender.join();
  const grpc::Status status = stream->Finish();
  return {sent, received, Verdict("Echo/BidiStream", status, right && received == kStreamLength)};
}

CallTally DemoCalls::GetFeature(const std::string& text) {
  BoundedContext context;
  const demo::Point point = PointFor(text);
  demo::Feature feature;
  const grpc::Status status = route_guide_->GetFeature(&context, point, &feature);
  const bool right = SamePlace(feature, PlaceName(point), point);
  return {1, status.ok() ? 1 : 0, Verdict("RouteGuide/GetFeature", status, right)};
}

CallTally DemoCalls::ListFeatures(const std::string& text) {
  BoundedContext context;
  const demo::Point corner = PointFor(text);
  demo::Area area;
  *area.mutable_south_west() = corner;
  *area.mutable_north_east() = MakePoint(corner.latitude() + 3, corner.longitude() + 3);
  const std::vector<demo::Feature> expected = PlacesInside(area);
  const auto reader = route_guide_->ListFeatures(&context, area);

  size_t received = 0;
  bool right = true;
  demo::Feature feature;
  while (reader->Read(&feature)) {
    right = right && received < expected.size() &&
            SamePlace(feature, expected[received].name(), expected[received].location());
    ++received;
  }
  const grpc::Status status = reader->Finish();
  return {1, static_cast<int64_t>(received),
          Verdict("RouteGuide/ListFeatures", status, right && received == expected.size())};
}

CallTally DemoCalls::RecordRoute(const std::string& text) {
  BoundedContext context;
  demo::RouteSummary summary;
  const auto writer = route_guide_->RecordRoute(&context, &summary);

  const demo::Point start = PointFor(text);
  int64_t sent = 0;
  int features = 0;
  while (sent < kStreamLength) {
    // Straight north, two degrees a time: every point is like the first, named or not.
    const demo::Point point =
        MakePoint(start.latitude() + 2 * static_cast<int32_t>(sent), start.longitude());
    if (!writer->Write(point)) break;
    if (!PlaceName(point).empty()) ++features;
    ++sent;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  const bool right = summary.points() == sent && summary.features() == features &&
                     summary.distance() == 2 * (sent - 1);
  return {sent, status.ok() ? 1 : 0, Verdict("RouteGuide/RecordRoute", status, right)};
}

CallTally DemoCalls::RouteChat(const std::string& text) {
  BoundedContext context;
  const auto stream = route_guide_->RouteChat(&context);

  // All notes at one point: the n-th is answered with the n-1 before it.
  std::vector<std::string> expected;
  demo::RouteNote note;
  *note.mutable_location() = PointFor(text);
  int64_t sent = 0;
  while (sent < kStreamLength) {
    note.set_text(text + "#" + std::to_string(sent));
    if (!stream->Write(note)) break;
    for (int64_t earlier = 0; earlier < sent; ++earlier) {
      expected.push_back(text + "#" + std::to_string(earlier));
    }
    ++sent;
  }
  stream->WritesDone();
  size_t received = 0;
  bool right = true;
  while (stream->Read(&note)) {
    right = right && received < expected.size() && note.text() == expected[received];
    ++received;
  }
  const grpc::Status status = stream->Finish();
  return {sent, static_cast<int64_t>(received),
          Verdict("RouteGuide/RouteChat", status, right && received == expected.size())};
}

}  // namespace lanekeeper
