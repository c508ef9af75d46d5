// Calls that end before their time: cancelled by the client, or by their deadline.
#include "tests/conformance/interop/interop_test.h"

namespace lanekeeper::testing {
namespace {

TEST_P(InteropTest, cancel_after_begin) {
  grpc::ClientContext context;
  grpc::testing::StreamingInputCallResponse response;
  const auto writer = stub_->StreamingInputCall(&context, &response);
  context.TryCancel();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(InteropTest, cancel_after_first_response) {
  grpc::ClientContext context;
  const auto stream = stub_->FullDuplexCall(&context);
  ASSERT_TRUE(stream->Write(StreamRequest(27182, {31415})));
  grpc::testing::StreamingOutputCallResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.payload().body().size(), 31415);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // Not of the official case: the server must hear of it too.
  EXPECT_TRUE(Eventually([&] { return server_.service().cancelled_streams() == 1; }));
}

TEST_P(InteropTest, timeout_on_sleeping_server) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  const auto stream = stub_->FullDuplexCall(&context);
  stream->Write(StreamRequest(27182, {}));  // the deadline may come first
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace lanekeeper::testing
