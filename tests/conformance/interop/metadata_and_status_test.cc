// Metadata there and back, and statuses as the server made them.
#include <gmock/gmock.h>

#include "tests/conformance/interop/interop_test.h"
#include "tests/support/bytes.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;

const std::string kEchoInitialValue = "test_initial_metadata_value";
const std::string kEchoTrailingValue = "\xab\xab\xab";

void SendEchoMetadata(grpc::ClientContext& context) {
  context.AddMetadata(kEchoInitialKey, kEchoInitialValue);
  context.AddMetadata(kEchoTrailingKey, kEchoTrailingValue);
}

void ExpectEchoMetadata(const grpc::ClientContext& context) {
  EXPECT_THAT(ValuesOf(context.GetServerInitialMetadata(), kEchoInitialKey),
              ElementsAre(kEchoInitialValue));
  EXPECT_THAT(ValuesOf(context.GetServerTrailingMetadata(), kEchoTrailingKey),
              ElementsAre(kEchoTrailingValue));
}

TEST_P(InteropTest, custom_metadata) {
  {
    grpc::ClientContext context;
    SendEchoMetadata(context);
    grpc::testing::SimpleResponse response;
    ExpectOk(stub_->UnaryCall(&context, LargeRequest(), &response));
    EXPECT_EQ(response.payload().body().size(), kLargeResponseBytes);
    ExpectEchoMetadata(context);
  }
  grpc::ClientContext context;
  SendEchoMetadata(context);
  const auto stream = stub_->FullDuplexCall(&context);
  ASSERT_TRUE(stream->Write(StreamRequest(kLargeRequestBytes, {kLargeResponseBytes})));
  ASSERT_TRUE(stream->WritesDone());
  grpc::testing::StreamingOutputCallResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.payload().body().size(), kLargeResponseBytes);
  EXPECT_FALSE(stream->Read(&response));
  ExpectOk(stream->Finish());
  ExpectEchoMetadata(context);
}

grpc::testing::EchoStatus Unknown(const std::string& message) {
  grpc::testing::EchoStatus status;
  status.set_code(grpc::StatusCode::UNKNOWN);
  status.set_message(message);
  return status;
}

TEST_P(InteropTest, status_code_and_message) {
  const std::string text = "test status message";
  {
    grpc::ClientContext context;
    grpc::testing::SimpleRequest request;
    *request.mutable_response_status() = Unknown(text);
    grpc::testing::SimpleResponse response;
    const grpc::Status status = stub_->UnaryCall(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(status.error_message(), text);
  }
  grpc::ClientContext context;
  const auto stream = stub_->FullDuplexCall(&context);
  grpc::testing::StreamingOutputCallRequest request;
  *request.mutable_response_status() = Unknown(text);
  ASSERT_TRUE(stream->Write(request));
  stream->WritesDone();
  grpc::testing::StreamingOutputCallResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(status.error_message(), text);
}

TEST_P(InteropTest, special_status_message) {
  const std::string text =
      "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n";
  grpc::ClientContext context;
  grpc::testing::SimpleRequest request;
  *request.mutable_response_status() = Unknown(text);
  grpc::testing::SimpleResponse response;
  const grpc::Status status = stub_->UnaryCall(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(status.error_message(), text);
}

}  // namespace
}  // namespace lanekeeper::testing
