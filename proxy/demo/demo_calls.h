// One client connection's RPCs: all four kinds on two services, every answer checked.
// One thread at a time.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "protos/demo/echo.grpc.pb.h"
#include "protos/demo/route_guide.grpc.pb.h"

namespace lanekeeper {

// Shares the channel.
struct DemoStubs {
  explicit DemoStubs(const std::shared_ptr<grpc::Channel>& channel)
      : echo(demo::Echo::NewStub(channel)), route_guide(demo::RouteGuide::NewStub(channel)) {}

  const std::unique_ptr<demo::Echo::Stub> echo;
  const std::unique_ptr<demo::RouteGuide::Stub> route_guide;
};

// What one RPC did. A wrong answer is a failure like a wrong status.
struct CallTally {
  int64_t messages_sent = 0;
  int64_t messages_received = 0;
  std::string failure;  // empty: it went well
};

// The methods of both services.
inline constexpr int kDemoMethods = 8;

// Calls one of the methods and waits for its end, 30 seconds at most. `text` goes into the
// messages, so that an answer meant for another RPC is noticed.
CallTally CallDemo(const DemoStubs& stubs, int method, const std::string& text);

}  // namespace lanekeeper
