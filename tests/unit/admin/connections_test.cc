// The address itself: who gets in, and how all of it ends.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tests/support/proxy_harness.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string WhyNot(const AdminConfig& config, Control& control) {
  try {
    AdminServer server(config, control);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(AdminServerTest, AnAddressThatCannotBeListenedOnIsRefusedWithTheReason) {
  FakeControl control;
  AdminServer first({kTcp}, control);
  EXPECT_EQ(WhyNot({first.name()}, control),
            "admin: cannot listen on " + first.name() + ": Address already in use");
  EXPECT_THAT(WhyNot({"nonsense"}, control), StartsWith("admin: cannot listen on nonsense: "));
  EXPECT_THAT(WhyNot({std::nullopt}, control), StartsWith("admin: cannot listen on "));
}

TEST(AdminServerTest, IsNamedAsClientsDialIt) {
  FakeControl control;
  AdminServer server({kTcp}, control);
  EXPECT_GT(server.port(), 0);
  EXPECT_EQ(server.name(), "127.0.0.1:" + std::to_string(server.port()));
}

TEST(AdminServerTest, AUnixSocketIsItsOwnersAlone) {
  FakeControl control;
  char folder[] = "/tmp/lanekeeper-admin-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::filesystem::path path = std::filesystem::path(folder) / "admin.sock";
  {
    AdminServer server({"unix://" + path.string()}, control);
    EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::all,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::filesystem::remove_all(folder);
}

class ConnectionsTest : public AnyAddress {
 protected:
  bool GrpcAnswers() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    adminpb::GetVersionResponse response;
    return NewStub()->GetVersion(&context, {}, &response).ok();
  }
};

TEST_P(ConnectionsTest, BothProtocolsAreServedOnTheOneAddress) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(GrpcAnswers());
    EXPECT_EQ(Get("/version").status, 200);
  }
}

TEST_P(ConnectionsTest, ARequestThatComesByteByByteIsAnswered) {
  RawConnection connection(server().name());
  for (const char byte : std::string("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
    ASSERT_TRUE(connection.Send(std::string(1, byte)));
  }
  EXPECT_EQ(ParseAnswer(connection.ReadAll()).status, 200);
}

TEST_P(ConnectionsTest, APrefaceInTwoPartsIsHttp2) {
  RawConnection connection(server().name());
  ASSERT_TRUE(connection.Send("PRI * HT"));
  EXPECT_EQ(Get("/version").status, 200);
  // With an empty SETTINGS frame.
  const std::string settings("\0\0\0\x04\0\0\0\0\0", 9);
  ASSERT_TRUE(connection.Send("TP/2.0\r\n\r\nSM\r\n\r\n" + settings));
  // The server's SETTINGS: a frame of type 4 on stream 0.
  const std::string frame = connection.ReadUntil(std::string("\x04\0\0\0\0\0", 6));
  EXPECT_THAT(frame, HasSubstr(std::string("\x04\0\0\0\0\0", 6)));
}

TEST_P(ConnectionsTest, WhatIsNeitherProtocolIsClosedAtOnce) {
  RawConnection connection(server().name());
  ASSERT_TRUE(connection.Send("\x16\x03\x01\x02"));
  EXPECT_TRUE(connection.IsClosed());
}

// Every timeout that could end the wait instead is far beyond the test's own.
TEST_P(ConnectionsTest, TheEndDoesNotWaitForThoseWhoAreConnected) {
  limits_.first_bytes.patience = 1h;
  limits_.request = {100'000, 1h, 1h, 1h};
  control_.Add(SomeStream(1));
  const auto stub = NewStub();
  grpc::ClientContext context;
  const auto watcher = stub->WatchStreams(&context, {});
  adminpb::WatchStreamsResponse response;
  ASSERT_TRUE(watcher->Read(&response));
  RawConnection http_watcher(server().name());
  ASSERT_TRUE(
      http_watcher.Send("GET /streams/watch?interval=1h HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  ASSERT_THAT(http_watcher.ReadUntil("OPENED"), HasSubstr("OPENED"));
  RawConnection silent(server().name());
  RawConnection half_a_body(server().name());
  ASSERT_TRUE(
      half_a_body.Send("POST /drain HTTP/1.1\r\nContent-Type: application/json\r\n"
                       "Content-Length: 5\r\n\r\n{"));
  EXPECT_EQ(Get("/version").status, 200);

  Stop();
  EXPECT_FALSE(watcher->Read(&response));
  EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  // Not cut, but ended.
  EXPECT_THAT(http_watcher.ReadAll(), EndsWith("0\r\n\r\n"));
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(half_a_body.IsClosed());
  EXPECT_EQ(control_.drains(), 0);
}

TEST_P(ConnectionsTest, ADrainIsAnsweredThoughTheProcessEndsAtOnce) {
  limits_.end_grace = 20s;
  HttpAnswer by_http;
  std::thread http([&by_http, name = server().name()] {
    by_http = ParseAnswer(
        Exchange(name, "POST /drain HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"));
  });
  bool by_grpc = false;
  std::thread grpc([&by_grpc, stub = NewStub()] {
    grpc::ClientContext context;
    adminpb::DrainResponse response;
    by_grpc = stub->Drain(&context, {}, &response).ok();
  });
  EXPECT_TRUE(Eventually([this] { return control_.drains() == 2; }));
  Stop();
  http.join();
  grpc.join();
  EXPECT_EQ(by_http.status, 200);
  EXPECT_TRUE(by_grpc);
}

TEST_P(ConnectionsTest, TheAddressIsFreeAfterTheEnd) {
  const std::string name = server().name();
  EXPECT_EQ(Get("/version").status, 200);
  Stop();
  FakeControl control;
  EXPECT_EQ(WhyNot({name}, control), "");
}

LANEKEEPER_ANY_ADDRESS(ConnectionsTest);

}  // namespace
}  // namespace lanekeeper::testing
