// The service as a stub of it sees it.
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "proxy/admin/grpc_service.h"
#include "tests/support/proxy_harness.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

class GrpcTest : public AnyAddress {
 protected:
  // Each call of the stub takes a context of its own.
  struct Context : grpc::ClientContext {
    Context() {
      set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      set_wait_for_ready(true);
    }
  };
};

TEST_P(GrpcTest, ListsStreamsThatMatch) {
  control_.AddMany(3);
  control_.Change(2, [](StreamSnapshot& stream) { stream.method = "/demo.Other/Get"; });
  adminpb::ListStreamsRequest request;
  request.mutable_filter()->set_method("Other");
  adminpb::ListStreamsResponse response;
  Context context;
  const grpc::Status status = NewStub()->ListStreams(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.streams_size(), 1);
  EXPECT_EQ(response.streams(0).id(), 2u);
  EXPECT_EQ(response.totals().streams_open(), 3u);
  EXPECT_EQ(response.totals().streams_matching(), 1u);
}

TEST_P(GrpcTest, GivesAndCancelsOneStream) {
  control_.Add(SomeStream(9));
  const auto stub = NewStub();
  adminpb::GetStreamRequest wanted;
  wanted.set_id(9);
  adminpb::Stream stream;
  Context get;
  ASSERT_TRUE(stub->GetStream(&get, wanted, &stream).ok());
  EXPECT_EQ(stream.method(), "/demo.Echo/Chat");

  adminpb::CancelStreamRequest cancel;
  cancel.set_id(9);
  cancel.set_reason("test");
  adminpb::CancelStreamResponse cancelled;
  Context context;
  ASSERT_TRUE(stub->CancelStream(&context, cancel, &cancelled).ok());
  EXPECT_EQ(cancelled.stream().DebugString(), stream.DebugString());
  EXPECT_EQ(control_.cancel_reason(), "test");

  Context again;
  const grpc::Status status = stub->GetStream(&again, wanted, &stream);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no open stream has the id 9");
}

TEST_P(GrpcTest, ErrorsCarryTheirCodes) {
  control_.RefuseDrain();
  const auto stub = NewStub();
  adminpb::ListStreamsRequest list;
  list.set_page_token("x");
  adminpb::ListStreamsResponse listed;
  Context one;
  EXPECT_EQ(stub->ListStreams(&one, list, &listed).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  adminpb::DrainResponse drained;
  Context two;
  EXPECT_EQ(stub->Drain(&two, {}, &drained).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  adminpb::SetLogLevelResponse level;
  Context three;
  EXPECT_EQ(stub->SetLogLevel(&three, {}, &level).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_P(GrpcTest, TellsConfigurationAndVersion) {
  const auto stub = NewStub();
  adminpb::GetConfigResponse config;
  Context one;
  ASSERT_TRUE(stub->GetConfig(&one, {}, &config).ok());
  EXPECT_THAT(config.yaml(), HasSubstr("upstream.example:443"));
  adminpb::GetVersionResponse version;
  Context two;
  ASSERT_TRUE(stub->GetVersion(&two, {}, &version).ok());
  EXPECT_EQ(version.grpc_version(), grpc::Version());
}

TEST_P(GrpcTest, DrainsOnRequest) {
  adminpb::DrainResponse response;
  Context context;
  ASSERT_TRUE(NewStub()->Drain(&context, {}, &response).ok());
  EXPECT_EQ(control_.drains(), 1);
}

TEST_P(GrpcTest, AWatcherSeesAStreamOpenAndEnd) {
  adminpb::WatchStreamsRequest request;
  request.mutable_interval()->set_nanos(100'000'000);
  const auto stub = NewStub();
  Context context;
  const auto reader = stub->WatchStreams(&context, request);
  adminpb::WatchStreamsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.events_size(), 0);
  control_.Add(SomeStream(1));
  do {
    ASSERT_TRUE(reader->Read(&response));
  } while (response.events_size() == 0);
  EXPECT_EQ(response.events(0).kind(), adminpb::StreamEvent::OPENED);
  control_.Remove(1);
  do {
    ASSERT_TRUE(reader->Read(&response));
  } while (response.events_size() == 0);
  EXPECT_EQ(response.events(0).kind(), adminpb::StreamEvent::ENDED);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(GrpcTest, ARequestThatIsTooLargeIsRefused) {
  adminpb::ListStreamsRequest request;
  request.mutable_filter()->set_method(std::string(100'000, 'x'));
  adminpb::ListStreamsResponse response;
  Context context;
  EXPECT_EQ(NewStub()->ListStreams(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_P(GrpcTest, ManyCallersAtOnceAreAnswered) {
  control_.AddMany(10);
  server();
  std::atomic<int> answered{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, stub = NewStub()] {
      for (int call = 0; call < 50; ++call) {
        Context context;
        adminpb::ListStreamsResponse response;
        answered += stub->ListStreams(&context, {}, &response).ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answered, 400);
}

LANEKEEPER_ANY_ADDRESS(GrpcTest);

}  // namespace
}  // namespace lanekeeper::testing
