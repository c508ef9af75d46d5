// A thousand RPCs at once on one channel, with the sizes of large_unary and ping_pong.
#include <grpcpp/generic/generic_stub.h>

#include <array>
#include <atomic>
#include <deque>
#include <latch>

#include "tests/conformance/interop/interop_test.h"
#include "tests/support/bytes.h"

namespace lanekeeper::testing {
namespace {

using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

constexpr int kConcurrent = 1000;

// Marks an RPC, so that answers which go to the wrong one show.
void Mark(grpc::ClientContext& context, int number) {
  context.AddMetadata(kEchoInitialKey, std::to_string(number));
}
bool IsMarked(const grpc::ClientContext& context, int number) {
  return ValuesOf(context.GetServerInitialMetadata(), kEchoInitialKey) ==
         std::vector{std::to_string(number)};
}

struct UnaryInFlight {
  int number = 0;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
};

TEST_P(InteropTest, concurrent_large_unary) {
  // One buffer that all share: a thousand requests would be 260 MiB.
  const grpc::ByteBuffer request = ToBuffer(LargeRequest().SerializeAsString());
  grpc::testing::SimpleResponse expected;
  *expected.mutable_payload() = Zeros(kLargeResponseBytes);
  const std::string expected_bytes = expected.SerializeAsString();

  grpc::GenericStub stub(channel_);
  std::deque<UnaryInFlight> calls(kConcurrent);
  std::atomic<int> equal{0};
  std::latch ended(kConcurrent);
  int next = 0;
  for (UnaryInFlight& call : calls) {
    call.number = next++;
    Mark(call.context, call.number);
    stub.UnaryCall(&call.context, "/grpc.testing.TestService/UnaryCall", {}, &request,
                   &call.response, [&](const grpc::Status& status) {
                     call.status = status;
                     if (status.ok() && IsMarked(call.context, call.number) &&
                         ToBytes(call.response) == expected_bytes) {
                       ++equal;
                     }
                     call.response.Clear();
                     ended.count_down();
                   });
  }
  ended.wait();
  for (const UnaryInFlight& call : calls) ExpectOk(call.status);
  EXPECT_EQ(equal, kConcurrent);
}

// One of the thousand; the test's thread leads it round by round. Reactions come on gRPC's threads.
class PingPong final
    : public grpc::ClientBidiReactor<StreamingOutputCallRequest, StreamingOutputCallResponse> {
 public:
  static constexpr size_t kRounds = 4;

  PingPong(grpc::testing::TestService::Stub& stub, int number, std::latch& ended)
      : number_(number), ended_(ended) {
    Mark(context_, number_);
    stub.async()->FullDuplexCall(&context_, this);
    AddHold();  // from outside of reactions, operations may be started only under a hold
    StartCall();
  }

  void NextRound(std::latch& answered) {
    answered_ = &answered;
    constexpr std::array<int, kRounds> kUp = {27182, 8, 1828, 45904};
    constexpr std::array<int, kRounds> kDown = {31415, 9, 2653, 58979};
    expected_bytes_ = static_cast<size_t>(kDown[round_]);
    request_ = StreamRequest(kUp[round_], {kDown[round_]});
    ++round_;
    StartRead(&response_);
    StartWrite(&request_);
  }
  void HalfClose() {
    StartWritesDone();
    RemoveHold();
  }

  void OnReadDone(bool ok) override {
    const std::string& body = response_.payload().body();
    if (ok && IsMarked(context_, number_) && body.size() == expected_bytes_ &&
        body.find_first_not_of('\0') == std::string::npos) {
      ++equal_;
    }
    answered_->count_down();
  }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    ended_.count_down();
  }

  size_t equal() const { return equal_; }
  const grpc::Status& status() const { return status_; }

 private:
  grpc::ClientContext context_;
  const int number_;
  std::latch& ended_;
  std::latch* answered_ = nullptr;
  StreamingOutputCallRequest request_;
  StreamingOutputCallResponse response_;
  size_t round_ = 0;
  size_t expected_bytes_ = 0;
  size_t equal_ = 0;
  grpc::Status status_;
};

// Each round waits for every answer of the last: all thousand streams are open at once.
TEST_P(InteropTest, concurrent_ping_pong) {
  std::latch ended(kConcurrent);
  std::deque<PingPong> streams;
  for (int i = 0; i < kConcurrent; ++i) streams.emplace_back(*stub_, i, ended);
  for (size_t round = 0; round < PingPong::kRounds; ++round) {
    std::latch answered(kConcurrent);
    for (PingPong& stream : streams) stream.NextRound(answered);
    answered.wait();
  }
  for (PingPong& stream : streams) stream.HalfClose();
  ended.wait();
  for (const PingPong& stream : streams) {
    ExpectOk(stream.status());
    EXPECT_EQ(stream.equal(), PingPong::kRounds);
  }
}

}  // namespace
}  // namespace lanekeeper::testing
