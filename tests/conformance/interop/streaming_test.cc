// Streaming cases: the official sizes, each way and both.
#include <gmock/gmock.h>

#include "tests/conformance/interop/interop_test.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAreArray;

const std::vector<int> kRequestBytes = {27182, 8, 1828, 45904};
const std::vector<int> kResponseBytes = {31415, 9, 2653, 58979};

// The sizes of the responses that are left, whose bodies must be zeros.
template <class Reader>
std::vector<int> SizesLeft(Reader& reader) {
  std::vector<int> sizes;
  grpc::testing::StreamingOutputCallResponse response;
  while (reader.Read(&response)) {
    sizes.push_back(static_cast<int>(response.payload().body().size()));
    EXPECT_EQ(response.payload().body(), Zeros(sizes.back()).body());
  }
  return sizes;
}

TEST_P(InteropTest, client_streaming) {
  grpc::ClientContext context;
  grpc::testing::StreamingInputCallResponse response;
  const auto writer = stub_->StreamingInputCall(&context, &response);
  for (const int bytes : kRequestBytes) {
    grpc::testing::StreamingInputCallRequest request;
    *request.mutable_payload() = Zeros(bytes);
    ASSERT_TRUE(writer->Write(request));
  }
  ASSERT_TRUE(writer->WritesDone());
  ExpectOk(writer->Finish());
  EXPECT_EQ(response.aggregated_payload_size(), 74922);
}

TEST_P(InteropTest, server_streaming) {
  grpc::ClientContext context;
  const auto reader = stub_->StreamingOutputCall(&context, StreamRequest(0, kResponseBytes));
  EXPECT_THAT(SizesLeft(*reader), ElementsAreArray(kResponseBytes));
  ExpectOk(reader->Finish());
}

TEST_P(InteropTest, ping_pong) {
  grpc::ClientContext context;
  const auto stream = stub_->FullDuplexCall(&context);
  for (size_t i = 0; i < kRequestBytes.size(); ++i) {
    ASSERT_TRUE(stream->Write(StreamRequest(kRequestBytes[i], {kResponseBytes[i]})));
    grpc::testing::StreamingOutputCallResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.payload().body(), Zeros(kResponseBytes[i]).body());
  }
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_TRUE(SizesLeft(*stream).empty());
  ExpectOk(stream->Finish());
}

TEST_P(InteropTest, empty_stream) {
  grpc::ClientContext context;
  const auto stream = stub_->FullDuplexCall(&context);
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_TRUE(SizesLeft(*stream).empty());
  ExpectOk(stream->Finish());
}

}  // namespace
}  // namespace lanekeeper::testing
