// What every case starts from: the interop server, a route to it, and a client. A case is a TEST_P
// of InteropTest, under its official name, and runs over every route.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

#include "tests/conformance/interop/payloads.h"
#include "tests/conformance/interop/test_service.h"
#include "tests/conformance/routes.h"

namespace lanekeeper::testing {

class InteropTest : public ::testing::TestWithParam<RouteKind> {
 protected:
  bool direct() const { return GetParam().proxies == 0; }

  InteropServer server_;
  Route route_{GetParam(), server_.address()};
  std::shared_ptr<grpc::Channel> channel_ = route_.NewChannel();
  std::unique_ptr<grpc::testing::TestService::Stub> stub_ =
      grpc::testing::TestService::NewStub(channel_);
};

// For googletest's own messages.
inline void PrintTo(const RouteKind& route, std::ostream* out) { *out << route.name; }

inline std::string RouteName(const ::testing::TestParamInfo<RouteKind>& route) {
  return route.param.name;
}

inline void ExpectOk(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OK) << status.error_message();
}

}  // namespace lanekeeper::testing
