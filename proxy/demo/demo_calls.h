// One client connection's RPCs: all four kinds on two services, every answer checked.
// Owns its stubs, shares its channel. One thread at a time.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "protos/demo/echo.grpc.pb.h"
#include "protos/demo/route_guide.grpc.pb.h"

namespace lanekeeper {

// What one RPC did. A wrong answer is a failure like a wrong status.
struct CallTally {
  int64_t messages_sent = 0;
  int64_t messages_received = 0;
  std::string failure;  // empty: it went well
};

class DemoCalls {
 public:
  // The methods of both services.
  static constexpr int kMethods = 8;

  explicit DemoCalls(const std::shared_ptr<grpc::Channel>& channel);

  // Calls one of the methods and waits for its end, 30 seconds at most. `text` goes into the
  // messages, so that an answer meant for another RPC is noticed.
  CallTally Call(int method, const std::string& text);

 private:
  CallTally EchoUnary(const std::string& text);
  CallTally EchoServerStream(const std::string& text);
  CallTally EchoClientStream(const std::string& text);
  CallTally EchoBidiStream(const std::string& text);
  CallTally GetFeature(const std::string& text);
  CallTally ListFeatures(const std::string& text);
  CallTally RecordRoute(const std::string& text);
  CallTally RouteChat(const std::string& text);

  std::unique_ptr<demo::Echo::Stub> echo_;
  std::unique_ptr<demo::RouteGuide::Stub> route_guide_;
};

}  // namespace lanekeeper
