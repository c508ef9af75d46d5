// Unary cases, and those that reach nothing.
#include "tests/conformance/interop/interop_test.h"

namespace lanekeeper::testing {
namespace {

TEST_P(InteropTest, empty_unary) {
  grpc::ClientContext context;
  grpc::testing::Empty response;
  ExpectOk(stub_->EmptyCall(&context, {}, &response));
  EXPECT_EQ(response.ByteSizeLong(), 0);
}

TEST_P(InteropTest, large_unary) {
  grpc::ClientContext context;
  grpc::testing::SimpleResponse response;
  ExpectOk(stub_->UnaryCall(&context, LargeRequest(), &response));
  EXPECT_EQ(response.payload().body(), Zeros(kLargeResponseBytes).body());
}

TEST_P(InteropTest, unimplemented_method) {
  grpc::ClientContext context;
  grpc::testing::Empty response;
  const grpc::Status status = stub_->UnimplementedCall(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_P(InteropTest, unimplemented_service) {
  const auto stub = grpc::testing::UnimplementedService::NewStub(channel_);
  grpc::ClientContext context;
  grpc::testing::Empty response;
  const grpc::Status status = stub->UnimplementedCall(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace lanekeeper::testing
