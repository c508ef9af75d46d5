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

// Of an RPC that has one answer, which came if the status is OK.
CallTally OneAnswer(int64_t sent, std::string_view method, const grpc::Status& status,
                    bool answer_right) {
  return {sent, status.ok() ? 1 : 0, Verdict(method, status, answer_right)};
}

// Sends make(0), make(1) and so on, then no more. How many were taken.
template <class Stream, class Make>
int64_t SendAll(Stream& stream, Make make) {
  int64_t sent = 0;
  while (sent < kStreamLength && stream.Write(make(sent))) ++sent;
  stream.WritesDone();
  return sent;
}

struct Received {
  int64_t count = 0;
  bool right = true;  // as many as were expected, each as it should be
};

// Receives to the end.
template <class Answer, class Stream, class IsRight>
Received ReceiveAll(Stream& stream, int64_t expected, IsRight is_right) {
  Received received;
  for (Answer answer; stream.Read(&answer); ++received.count) {
    received.right =
        received.right && received.count < expected && is_right(answer, received.count);
  }
  received.right = received.right && received.count == expected;
  return received;
}

std::string Part(const std::string& text, int64_t number) {
  return text + "#" + std::to_string(number);
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

CallTally EchoUnary(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  demo::EchoResponse response;
  const grpc::Status status = stubs.echo->Unary(&context, Request(text), &response);
  return OneAnswer(1, "Echo/Unary", status, response.text() == text);
}

CallTally EchoServerStream(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  demo::EchoRequest request = Request(text);
  request.set_copies(kStreamLength);
  const auto reader = stubs.echo->ServerStream(&context, request);
  const auto [received, right] = ReceiveAll<demo::EchoResponse>(
      *reader, kStreamLength, [&](const demo::EchoResponse& response, int64_t number) {
        return response.text() == text && response.number() == number;
      });
  return {1, received, Verdict("Echo/ServerStream", reader->Finish(), right)};
}

CallTally EchoClientStream(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  demo::EchoResponse response;
  const auto writer = stubs.echo->ClientStream(&context, &response);
  const int64_t sent =
      SendAll(*writer, [&](int64_t number) { return Request(Part(text, number)); });
  const grpc::Status status = writer->Finish();
  std::string joined;
  for (int64_t i = 0; i < sent; ++i) joined += (i == 0 ? "" : " ") + Part(text, i);
  const bool right = response.text() == joined && response.number() == sent;
  return OneAnswer(sent, "Echo/ClientStream", status, right);
}

CallTally EchoBidiStream(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  const auto stream = stubs.echo->BidiStream(&context);
  // One thread sends while another receives: the concurrency that the contract allows on a stream.
  int64_t sent = 0;
  std::thread sender([&] {
    sent = SendAll(*stream, [&](int64_t number) { return Request(Part(text, number)); });
  });
  const auto [received, right] = ReceiveAll<demo::EchoResponse>(
      *stream, kStreamLength, [&](const demo::EchoResponse& response, int64_t number) {
        return response.number() == number && response.text() == Part(text, number);
      });
  sender.join();
  return {sent, received, Verdict("Echo/BidiStream", stream->Finish(), right)};
}

CallTally GetFeature(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  const demo::Point point = PointFor(text);
  demo::Feature feature;
  const grpc::Status status = stubs.route_guide->GetFeature(&context, point, &feature);
  return OneAnswer(1, "RouteGuide/GetFeature", status, SamePlace(feature, PlaceName(point), point));
}

CallTally ListFeatures(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  const demo::Point corner = PointFor(text);
  demo::Area area;
  *area.mutable_south_west() = corner;
  *area.mutable_north_east() = MakePoint(corner.latitude() + 3, corner.longitude() + 3);
  const std::vector<demo::Feature> expected = PlacesInside(area);
  const auto reader = stubs.route_guide->ListFeatures(&context, area);
  const auto [received, right] = ReceiveAll<demo::Feature>(
      *reader, std::ssize(expected), [&](const demo::Feature& feature, int64_t number) {
        const demo::Feature& place = expected[static_cast<size_t>(number)];
        return SamePlace(feature, place.name(), place.location());
      });
  return {1, received, Verdict("RouteGuide/ListFeatures", reader->Finish(), right)};
}

CallTally RecordRoute(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  demo::RouteSummary summary;
  const auto writer = stubs.route_guide->RecordRoute(&context, &summary);
  const demo::Point start = PointFor(text);
  const int64_t sent = SendAll(*writer, [&](int64_t number) {
    // Straight north, two degrees a time: every point is like the first, named or not.
    return MakePoint(start.latitude() + 2 * static_cast<int32_t>(number), start.longitude());
  });
  const grpc::Status status = writer->Finish();
  const int64_t features = PlaceName(start).empty() ? 0 : sent;
  const bool right = summary.points() == sent && summary.features() == features &&
                     summary.distance() == 2 * (sent - 1);
  return OneAnswer(sent, "RouteGuide/RecordRoute", status, right);
}

CallTally RouteChat(const DemoStubs& stubs, const std::string& text) {
  BoundedContext context;
  const auto stream = stubs.route_guide->RouteChat(&context);
  // All notes at one point: the n-th is answered with the n-1 before it.
  std::vector<std::string> expected;
  const int64_t sent = SendAll(*stream, [&](int64_t number) {
    for (int64_t earlier = 0; earlier < number; ++earlier) {
      expected.push_back(Part(text, earlier));
    }
    demo::RouteNote note;
    *note.mutable_location() = PointFor(text);
    note.set_text(Part(text, number));
    return note;
  });
  const auto [received, right] = ReceiveAll<demo::RouteNote>(
      *stream, std::ssize(expected), [&](const demo::RouteNote& note, int64_t number) {
        return note.text() == expected[static_cast<size_t>(number)];
      });
  return {sent, received, Verdict("RouteGuide/RouteChat", stream->Finish(), right)};
}

}  // namespace

CallTally CallDemo(const DemoStubs& stubs, int method, const std::string& text) {
  using Method = CallTally (*)(const DemoStubs&, const std::string&);
  static constexpr std::array<Method, kDemoMethods> kCalls = {
      &EchoUnary,        &GetFeature,  &EchoServerStream, &ListFeatures,
      &EchoClientStream, &RecordRoute, &EchoBidiStream,   &RouteChat};
  return kCalls.at(static_cast<size_t>(method))(stubs, text);
}

}  // namespace lanekeeper
