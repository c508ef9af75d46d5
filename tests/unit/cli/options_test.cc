// The command line of the operator's commands, parsed as main parses it and run against an admin
// API of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "proxy/cli/operator_commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CommandLine : public testing::Test {
 protected:
  CommandLine() {
    admin_.streams = {StuckStream(3, 31s)};
    admin_.totals = SampleTotals();
    unsetenv("LANEKEEPER_ADMIN");
    unsetenv("LANEKEEPER_METRICS");
  }
  ~CommandLine() override { unsetenv("LANEKEEPER_ADMIN"); }

  // Throws CLI::ParseError for wrong usage.
  int Run(std::vector<std::string> words) {
    CLI::App cli;
    const OperatorCommands commands(cli);
    std::reverse(words.begin(), words.end());
    cli.parse(words);
    EXPECT_TRUE(commands.given());
    return commands.Run(captured_.output);
  }

  // What is wrong with it; empty when it can be parsed.
  std::string Misuse(std::vector<std::string> words) {
    CLI::App cli;
    const OperatorCommands commands(cli);
    std::reverse(words.begin(), words.end());
    try {
      cli.parse(words);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
};

TEST_F(CommandLine, CanBeWithoutACommand) {
  CLI::App cli;
  const OperatorCommands commands(cli);
  cli.parse(std::vector<std::string>{});
  EXPECT_FALSE(commands.given());
}

TEST_F(CommandLine, PassesEveryFilterOn) {
  EXPECT_EQ(Run({"streams", "--admin", admin_.address(), "--method", "Orders", "--peer", "4000",
                 "--state", "half_closed", "--min-age", "1m30s", "--stuck", "--limit", "5"}),
            0);
  ASSERT_EQ(admin_.list_requests().size(), 1);
  const admin::v1::ListStreamsRequest request = admin_.list_requests()[0];
  EXPECT_EQ(request.page_size(), 5);
  EXPECT_EQ(request.filter().method(), "Orders");
  EXPECT_EQ(request.filter().peer(), "4000");
  EXPECT_EQ(request.filter().state(), admin::v1::Lane::HALF_CLOSED);
  EXPECT_EQ(FromProto(request.filter().min_age()), 90s);
  EXPECT_TRUE(request.filter().stuck());
}

TEST_F(CommandLine, ShowsOneStreamByItsId) {
  EXPECT_EQ(Run({"streams", "3", "--admin", admin_.address()}), 0);
  EXPECT_THAT(captured_.out.text(), HasSubstr("id            3\n"));
}

TEST_F(CommandLine, CancelsSeveralWithAReason) {
  admin_.streams.push_back(IdleStream(4, 1s));
  EXPECT_EQ(Run({"cancel", "3", "4", "--reason", "too slow", "--admin", admin_.address()}), 0);
  ASSERT_EQ(admin_.cancel_requests().size(), 2);
  EXPECT_EQ(admin_.cancel_requests()[0].reason(), "too slow");
}

TEST_F(CommandLine, TakesTheAddressFromTheEnvironment) {
  setenv("LANEKEEPER_ADMIN", admin_.address().c_str(), 1);
  EXPECT_EQ(Run({"loglevel", "debug"}), 0);
  EXPECT_EQ(captured_.out.text(), "log level debug, was info\n");
}

TEST_F(CommandLine, PrefersTheAddressThatIsGiven) {
  setenv("LANEKEEPER_ADMIN", "127.0.0.1:1", 1);
  EXPECT_EQ(Run({"loglevel", "debug", "--admin", admin_.address()}), 0);
}

TEST_F(CommandLine, RefusesABadAddressOfTheEnvironmentOnlyWhereItIsUsed) {
  setenv("LANEKEEPER_ADMIN", "nonsense", 1);
  EXPECT_THAT(Misuse({"drain"}), HasSubstr("--admin"));
  EXPECT_EQ(Misuse({"drain", "--admin", "127.0.0.1:1"}), "");
  EXPECT_EQ(Misuse({"health"}), "");
}

TEST_F(CommandLine, TakesUnixSockets) {
  EXPECT_EQ(Misuse({"drain", "--admin", "unix:///run/lanekeeper/admin.sock"}), "");
  EXPECT_NE(Misuse({"health", "--metrics", "unix:///run/lanekeeper/metrics.sock"}), "");
}

TEST_F(CommandLine, RefusesDurationsWithoutAUnit) {
  EXPECT_THAT(Misuse({"streams", "--min-age", "10"}), HasSubstr("--min-age"));
  EXPECT_THAT(Misuse({"top", "--interval", "1"}), HasSubstr("--interval"));
  EXPECT_THAT(Misuse({"top", "--interval", "50ms"}), HasSubstr("at least 100ms"));
  EXPECT_THAT(Misuse({"watch", "--interval", "0"}), HasSubstr("at least 100ms"));
  EXPECT_THAT(Misuse({"wait", "--max", "30"}), HasSubstr("--max"));
}

TEST_F(CommandLine, RefusesWhatCannotBeMeant) {
  const std::vector<std::vector<std::string>> misuses = {
      {"streams", "abc"},
      {"streams", "-1"},
      {"streams", "0"},
      {"streams", "3", "4"},
      {"streams", "3", "--stuck"},
      {"streams", "3", "--limit", "1"},
      {"streams", "--limit", "0"},
      {"streams", "--limit", "many"},
      {"streams", "--state", "stuck"},
      {"streams", "--admin", "127.0.0.1"},
      {"streams", "--admin", "127.0.0.1:0"},
      {"top", "--count", "0"},
      {"cancel"},
      {"cancel", "3", "x"},
      {"cancel", "3", "--reason", std::string(201, 'r')},
      {"reload", "new.yaml"},
      {"reload", "--dry-run", "a.yaml", "b.yaml"},
      {"loglevel"},
      {"loglevel", "loud"},
      {"health", "--metrics", "localhost"},
  };
  for (const auto& words : misuses) {
    EXPECT_NE(Misuse(words), "") << testing::PrintToString(words);
  }
}

}  // namespace
}  // namespace lanekeeper
