#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::StartsWith;

// An observability port that becomes ready after some requests.
class ProbeCommands : public testing::Test {
 protected:
  ProbeCommands() {
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const bool ready = ++asked_ > refusals_;
      response.status = ready ? 200 : 503;
      response.set_content(ready ? "ok\n" : "not ready: \x1b[2Jstarting\nmore", "text/plain");
    });
    server_.Get("/livez", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
    options_.metrics.host = "127.0.0.1";
    options_.metrics.port = static_cast<uint16_t>(server_.bind_to_any_port("127.0.0.1"));
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~ProbeCommands() override { Stop(); }

  void Stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  ProbeOptions options_;
  CapturedOutput captured_;
  std::atomic<int> refusals_ = 0;
  std::atomic<int> asked_ = 0;

 private:
  httplib::Server server_;
  std::thread thread_;
};

TEST_F(ProbeCommands, HealthIsGoodWhenReady) {
  EXPECT_EQ(CheckHealth(options_, captured_.output), 0);
  EXPECT_EQ(captured_.out.text() + captured_.err.text(), "");
}

TEST_F(ProbeCommands, HealthSaysInOneLineWhatIsWrong) {
  refusals_ = 1;
  EXPECT_EQ(CheckHealth(options_, captured_.output), 1);
  EXPECT_THAT(captured_.err.text(), StartsWith("lanekeeper: http://127.0.0.1:"));
  EXPECT_THAT(captured_.err.text(), EndsWith("/readyz: 503 not ready: \\x1b[2Jstarting\n"));
  EXPECT_EQ(asked_, 1);
}

TEST_F(ProbeCommands, HealthCanAskWhetherItLives) {
  refusals_ = 1;
  options_.live = true;
  EXPECT_EQ(CheckHealth(options_, captured_.output), 0);
  EXPECT_EQ(asked_, 0);
}

TEST_F(ProbeCommands, HealthSaysWhereNobodyAnswers) {
  Stop();
  EXPECT_EQ(CheckHealth(options_, captured_.output), 1);
  EXPECT_THAT(captured_.err.text(), EndsWith("/readyz: cannot connect\n"));
}

TEST_F(ProbeCommands, WaitAsksUntilItIsReady) {
  refusals_ = 3;
  EXPECT_EQ(WaitForHealth(options_, 30s, captured_.output), 0);
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(captured_.err.text(), "");
}

TEST_F(ProbeCommands, WaitGivesUpInTime) {
  refusals_ = 1000;
  EXPECT_EQ(WaitForHealth(options_, 500ms, captured_.output), 1);
  EXPECT_THAT(captured_.err.text(), StartsWith("lanekeeper: not within 500ms: http://"));
  EXPECT_GT(asked_, 1);
}

TEST_F(ProbeCommands, WaitOfNoTimeAsksOnce) {
  EXPECT_EQ(WaitForHealth(options_, 0ms, captured_.output), 0);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace lanekeeper
