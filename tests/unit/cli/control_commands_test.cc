#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

class ControlCommands : public testing::Test {
 protected:
  ControlCommands() {
    admin_.streams = {StuckStream(3, 31s), IdleStream(17, 1500ms)};
    admin_.totals = SampleTotals();
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
  AdminClient client_{admin_.address()};
};

TEST_F(ControlCommands, CancelNamesWhatItHasEnded) {
  EXPECT_EQ(CancelStreams(client_, {3, 17}, "deploy", captured_.output), 0);
  EXPECT_EQ(captured_.out.text(),
            "cancelled 3 /shop.Orders/Watch, open for 5m12s\n"
            "cancelled 17 /shop.Orders/Chat, open for 3s\n");
  ASSERT_EQ(admin_.cancel_requests().size(), 2);
  EXPECT_EQ(admin_.cancel_requests()[1].id(), 17);
  EXPECT_EQ(admin_.cancel_requests()[1].reason(), "deploy");
}

TEST_F(ControlCommands, CancelGoesOnAfterAStreamThatHasEnded) {
  EXPECT_EQ(CancelStreams(client_, {4, 17}, "", captured_.output), 1);
  EXPECT_EQ(captured_.err.text(), "lanekeeper: no stream 4 is open\n");
  EXPECT_EQ(captured_.out.text(), "cancelled 17 /shop.Orders/Chat, open for 3s\n");
}

TEST_F(ControlCommands, CancelGivesUpWhereNobodyAnswers) {
  admin_.Stop();
  EXPECT_EQ(CancelStreams(client_, {3, 17}, "", captured_.output), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: not reachable at " + admin_.address() + ": Connection refused\n");
}

TEST_F(ControlCommands, DrainReturnsAtOnce) {
  EXPECT_EQ(Drain(client_, /*wait=*/false, captured_.output), 0);
  EXPECT_EQ(captured_.out.text(), "draining: 120 streams open, 25s at most\n");
  EXPECT_EQ(admin_.drains(), 1);
}

TEST_F(ControlCommands, DrainWaitsUntilAnotherProcessAnswers) {
  admin_.ends_when_drained = true;
  EXPECT_EQ(Drain(client_, /*wait=*/true, captured_.output), 0);
  EXPECT_EQ(captured_.out.text(), "draining: 120 streams open, 25s at most\ngone\n");
  EXPECT_EQ(admin_.drains(), 1);
}

TEST_F(ControlCommands, DrainThatIsRefusedSaysWhy) {
  admin_.refusal = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "nobody listens");
  EXPECT_EQ(Drain(client_, /*wait=*/true, captured_.output), 1);
  EXPECT_EQ(captured_.err.text(), "lanekeeper: " + admin_.address() + " refused: nobody listens\n");
}

TEST_F(ControlCommands, LogLevelSaysWhatItWas) {
  EXPECT_EQ(SetLogLevel(client_, "debug", captured_.output), 0);
  EXPECT_EQ(captured_.out.text(), "log level debug, was info\n");
}

TEST_F(ControlCommands, DaemonWithoutTheCallIsNamed) {
  admin_.refusal = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  EXPECT_EQ(SetLogLevel(client_, "debug", captured_.output), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: no lanekeeper of this version answers at " + admin_.address() + "\n");
}

}  // namespace
}  // namespace lanekeeper
