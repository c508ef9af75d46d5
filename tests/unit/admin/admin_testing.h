// An admin server with a fake proxy behind it, and clients for it.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <memory>
#include <string>

#include "protos/lanekeeper/admin/v1/admin.grpc.pb.h"
#include "proxy/admin/admin_server.h"
#include "tests/unit/admin/fake_control.h"
#include "tests/unit/admin/raw_connection.h"

namespace lanekeeper::testing {

inline constexpr char kTcp[] = "127.0.0.1:0";

// A status line, the head behind it, and the body with chunks put together.
struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;

  // {"code":...,"message":...}; empty where the body is something else.
  std::string error_code() const;
  std::string error_message() const;
};
HttpAnswer ParseAnswer(const std::string& bytes);

class AdminTest : public ::testing::Test {
 protected:
  explicit AdminTest(const AdminLimits& limits = {}) : limits_(limits) {}
  ~AdminTest() override;

  // Before the server is asked for.
  void ListenOnUnix();

  AdminServer& server();
  // Ends the server as the App does.
  void Stop() { server_.reset(); }

  std::unique_ptr<adminpb::Admin::Stub> NewStub();
  // Each on a connection of its own. Head lines end with "\r\n".
  HttpAnswer Get(const std::string& target, const std::string& more_head = "");
  HttpAnswer Post(const std::string& target, const std::string& json);
  HttpAnswer Ask(const std::string& request);

  FakeControl control_;
  AdminLimits limits_;

 private:
  std::string address_ = kTcp;
  std::filesystem::path directory_;
  std::unique_ptr<AdminServer> server_;
};

// With both kinds of addresses.
class AnyAddress : public AdminTest, public ::testing::WithParamInterface<bool> {
 protected:
  AnyAddress() {
    if (GetParam()) ListenOnUnix();
  }
};
#define LANEKEEPER_ANY_ADDRESS(suite)                                      \
  INSTANTIATE_TEST_SUITE_P(Address, suite, ::testing::Values(false, true), \
                           [](const auto& one) { return one.param ? "Unix" : "Tcp"; })

}  // namespace lanekeeper::testing
