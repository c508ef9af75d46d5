// Peers that take without giving: each kind is bounded, and others are still served.
#include <gmock/gmock.h>
#include <pthread.h>

#include <chrono>
#include <deque>
#include <vector>

#include "tests/support/proxy_harness.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr char kWatch[] = "GET /streams/watch HTTP/1.1\r\nHost: localhost\r\n\r\n";

AdminLimits Patient(std::chrono::milliseconds patience) {
  AdminLimits limits;
  limits.first_bytes.patience = patience;
  return limits;
}

class ImpatientTest : public AdminTest {
 protected:
  ImpatientTest() : AdminTest(Patient(50ms)) {}
};

TEST_F(ImpatientTest, AConnectionThatSaysNothingIsClosed) {
  RawConnection silent(server().name());
  EXPECT_TRUE(silent.IsClosed());
}

TEST_F(ImpatientTest, HalfAPrefaceIsClosed) {
  RawConnection half(server().name());
  ASSERT_TRUE(half.Send("PRI * HTTP/"));
  EXPECT_TRUE(half.IsClosed());
}

TEST_F(ImpatientTest, HalfARequestIsClosed) {
  RawConnection half(server().name());
  ASSERT_TRUE(half.Send("GET /streams HTTP/1.1\r\nHost: loc"));
  EXPECT_TRUE(half.IsClosed());
}

class BoundsTest : public AdminTest {
 protected:
  BoundsTest() : AdminTest(Patient(1h)) {}

  bool GrpcAnswers() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    adminpb::GetVersionResponse response;
    return NewStub()->GetVersion(&context, {}, &response).ok();
  }
};

TEST_F(BoundsTest, SilentConnectionsKeepNobodyElseOut) {
  std::deque<RawConnection> silent;
  for (int i = 0; i < 200; ++i) silent.emplace_back(server().name());
  EXPECT_TRUE(GrpcAnswers());
  EXPECT_EQ(Get("/version").status, 200);
  // Those that waited longest had to make room: 64 are left, two of which made room for us.
  for (int i = 0; i < 136; ++i) EXPECT_TRUE(silent[static_cast<size_t>(i)].IsClosed()) << i;
  EXPECT_TRUE(silent.back().Send(kWatch));
  EXPECT_THAT(silent.back().ReadUntil("totals"), HasSubstr("totals"));
}

TEST_F(BoundsTest, AHeadAsLongAsMayBeIsHarmlessHoweverSmallTheStacksOfTheProcess) {
  server();
  pthread_attr_t before;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 512 * 1024);
  ASSERT_EQ(pthread_setattr_default_np(&small), 0);
  std::string ranges = "Range: bytes=0-1";
  while (ranges.size() < 8100) ranges += ",0-1";
  EXPECT_EQ(Get("/version", ranges + "\r\n").status, 200);
  EXPECT_EQ(pthread_setattr_default_np(&before), 0);
  pthread_attr_destroy(&small);
  pthread_attr_destroy(&before);
}

TEST_F(BoundsTest, MoreConnectionsThanMayBeAreClosed) {
  limits_.connections = 3;
  std::deque<RawConnection> open;
  for (int i = 0; i < 3; ++i) open.emplace_back(server().name());
  RawConnection more(server().name());
  EXPECT_TRUE(more.IsClosed());
  open.clear();
  EXPECT_TRUE(Eventually([this] { return Get("/version").status == 200; }));
}

TEST_F(BoundsTest, ConnectionsThatHaveEndedMakeRoom) {
  limits_.connections = 3;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Eventually([this] { return Get("/version").status == 200; })) << i;
    EXPECT_TRUE(Eventually([this] { return GrpcAnswers(); })) << i;
    RawConnection neither(server().name());
    neither.Send("\x16\x03");
    EXPECT_TRUE(neither.IsClosed());
  }
}

TEST_F(BoundsTest, WatchersOfBothProtocolsTogetherAreBounded) {
  limits_.watchers = 2;
  RawConnection first(server().name());
  ASSERT_TRUE(first.Send(kWatch));
  ASSERT_THAT(first.ReadUntil("totals"), HasSubstr("totals"));
  const auto stub = NewStub();
  grpc::ClientContext context;
  const auto second = stub->WatchStreams(&context, {});
  adminpb::WatchStreamsResponse response;
  ASSERT_TRUE(second->Read(&response));

  const HttpAnswer refused = Get("/streams/watch");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.error_code(), "RESOURCE_EXHAUSTED");
  EXPECT_THAT(refused.error_message(), HasSubstr("2 watchers"));
  grpc::ClientContext third_context;
  const auto third = stub->WatchStreams(&third_context, {});
  EXPECT_FALSE(third->Read(&response));
  EXPECT_EQ(third->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Get("/version").status, 200);
}

TEST_F(BoundsTest, AWatcherThatHasGoneMakesRoom) {
  limits_.watchers = 1;
  {
    RawConnection first(server().name());
    ASSERT_TRUE(first.Send(kWatch));
    ASSERT_THAT(first.ReadUntil("totals"), HasSubstr("totals"));
  }
  EXPECT_TRUE(Eventually([this] {
    RawConnection next(server().name());
    return next.Send(kWatch) && ParseAnswer(next.ReadUntil("\n")).status != 503;
  }));
  {
    grpc::ClientContext context;
    const auto stub = NewStub();
    adminpb::WatchStreamsResponse response;
    EXPECT_TRUE(Eventually([&] {
      grpc::ClientContext one;
      return stub->WatchStreams(&one, {})->Read(&response);
    }));
  }
  EXPECT_TRUE(Eventually([this] {
    RawConnection next(server().name());
    return next.Send(kWatch) && next.ReadUntil("\n").rfind("HTTP/1.1 200", 0) == 0;
  }));
}

TEST_F(BoundsTest, ABodyThatDoesNotComeEndsItsRequest) {
  limits_.request.request_time = 50ms;
  RawConnection half(server().name());
  ASSERT_TRUE(
      half.Send("POST /drain HTTP/1.1\r\nContent-Type: application/json\r\n"
                "Content-Length: 5\r\n\r\n{"));
  EXPECT_EQ(ParseAnswer(half.ReadAll()).status, 400);
  EXPECT_EQ(control_.drains(), 0);
}

TEST_F(BoundsTest, WhenAllThreadsAreTakenAndTheQueueIsFullOthersAreToldSo) {
  limits_.http = {1, 1};
  RawConnection taken(server().name());
  ASSERT_TRUE(taken.Send(kWatch));
  ASSERT_THAT(taken.ReadUntil("totals"), HasSubstr("totals"));
  RawConnection waiting(server().name());
  ASSERT_TRUE(waiting.Send("GET /version HTTP/1.1\r\n\r\n"));
  // The one before may still be on its way into the queue.
  HttpAnswer refused;
  EXPECT_TRUE(Eventually([&] {
    refused = Get("/version");
    return refused.status == 503;
  }));
  EXPECT_EQ(refused.error_code(), "UNAVAILABLE");
  EXPECT_TRUE(GrpcAnswers());
}

TEST_F(BoundsTest, AReaderThatStopsReadingLosesItsThread) {
  limits_.http = {1, 8};
  limits_.request.write_stall = 50ms;
  control_.AddMany(10'000);
  RawConnection stopped(server().name());
  ASSERT_TRUE(stopped.Send("GET /streams?page_size=10000 HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(Get("/version").status, 200);
}

}  // namespace
}  // namespace lanekeeper::testing
