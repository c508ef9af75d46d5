// The four compressed cases. Each side looks at the flag of every message: the server for
// expect_compressed, the client for response_compressed.
#include "tests/conformance/interop/interop_test.h"
#include "tests/conformance/interop/message_flags.h"

namespace lanekeeper::testing {
namespace {

grpc::testing::BoolValue Bool(bool value) {
  grpc::testing::BoolValue result;
  result.set_value(value);
  return result;
}

class CompressedInteropTest : public InteropTest {
 protected:
  // Sends what says that it is `expected` compressed, and is `compressed`.
  grpc::Status UnaryCall(bool expected, bool compressed) {
    grpc::ClientContext context;
    if (compressed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    grpc::testing::SimpleRequest request = LargeRequest();
    *request.mutable_expect_compressed() = Bool(expected);
    grpc::testing::SimpleResponse response;
    const grpc::Status status = stub_->UnaryCall(&context, request, &response);
    if (status.ok()) {
      EXPECT_EQ(response.payload().body(), Zeros(kLargeResponseBytes).body());
    }
    return status;
  }
};

TEST_P(CompressedInteropTest, client_compressed_unary) {
  EXPECT_EQ(UnaryCall(true, false).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectOk(UnaryCall(true, true));
  ExpectOk(UnaryCall(false, false));
  // Not of the official case: that the server does look.
  EXPECT_EQ(UnaryCall(false, true).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_P(CompressedInteropTest, server_compressed_unary) {
  for (const bool compressed : {true, false}) {
    grpc::ClientContext context;
    grpc::testing::SimpleRequest request = LargeRequest();
    *request.mutable_response_compressed() = Bool(compressed);
    grpc::testing::SimpleResponse response;
    ExpectOk(stub_->UnaryCall(&context, request, &response));
    EXPECT_EQ(response.payload().body(), Zeros(kLargeResponseBytes).body());
    EXPECT_EQ(LastMessageWasCompressed(context.c_call()), compressed);
  }
}

TEST_P(CompressedInteropTest, client_compressed_streaming) {
  grpc::testing::StreamingInputCallResponse response;
  grpc::testing::StreamingInputCallRequest request;
  *request.mutable_expect_compressed() = Bool(true);
  *request.mutable_payload() = Zeros(27182);
  const grpc::WriteOptions as_it_is = grpc::WriteOptions().set_no_compression();
  {
    grpc::ClientContext probe;
    const auto writer = stub_->StreamingInputCall(&probe, &response);
    writer->Write(request);
    writer->WritesDone();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const auto writer = stub_->StreamingInputCall(&context, &response);
  ASSERT_TRUE(writer->Write(request));
  *request.mutable_expect_compressed() = Bool(false);
  *request.mutable_payload() = Zeros(45904);
  ASSERT_TRUE(writer->Write(request, as_it_is));
  ASSERT_TRUE(writer->WritesDone());
  ExpectOk(writer->Finish());
  EXPECT_EQ(response.aggregated_payload_size(), 73086);
}

TEST_P(CompressedInteropTest, server_compressed_streaming) {
  grpc::testing::StreamingOutputCallRequest request = StreamRequest(0, {31415, 92653});
  *request.mutable_response_parameters(0)->mutable_compressed() = Bool(true);
  *request.mutable_response_parameters(1)->mutable_compressed() = Bool(false);
  grpc::ClientContext context;
  const auto reader = stub_->StreamingOutputCall(&context, request);
  for (const auto& parameters : request.response_parameters()) {
    grpc::testing::StreamingOutputCallResponse response;
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.payload().body(), Zeros(parameters.size()).body());
    EXPECT_EQ(LastMessageWasCompressed(context.c_call()), parameters.compressed().value());
  }
  grpc::testing::StreamingOutputCallResponse more;
  EXPECT_FALSE(reader->Read(&more));
  ExpectOk(reader->Finish());
}

INSTANTIATE_TEST_SUITE_P(Interop, CompressedInteropTest, ::testing::ValuesIn(Routes()), RouteName);

}  // namespace
}  // namespace lanekeeper::testing
