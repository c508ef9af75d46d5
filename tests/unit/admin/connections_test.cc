// The address itself: who gets in, and how all of it ends.
#include <gmock/gmock.h>

#include <chrono>
#include <stdexcept>

#include "tests/support/proxy_harness.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

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

TEST_P(ConnectionsTest, TheEndDoesNotWaitForThoseWhoAreConnected) {
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

  const auto before = std::chrono::steady_clock::now();
  Stop();
  // Far below every timeout that somebody could have waited for.
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(2500));
  EXPECT_FALSE(watcher->Read(&response));
  EXPECT_FALSE(watcher->Finish().ok());
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(half_a_body.IsClosed());
  EXPECT_EQ(control_.drains(), 0);
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
