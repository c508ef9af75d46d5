#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

size_t Count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

class TopCommand : public testing::Test {
 protected:
  TopCommand() {
    admin_.streams = {IdleStream(2, 1500ms), StuckStream(3, 31s)};
    admin_.totals = SampleTotals();
  }

  int Run(TopOptions options, std::stop_token stop = {}) {
    AdminClient client(admin_.address(), std::move(stop));
    return Top(client, options, captured_.output);
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
};

TEST_F(TopCommand, PrintsAsManyTablesAsAskedFor) {
  EXPECT_EQ(Run({.interval = 1ms, .count = 3}), 0);
  const std::string text = captured_.out.text();
  EXPECT_EQ(Count(text, "METHOD"), 3);
  EXPECT_EQ(Count(text, "at the second look"), 1);
  EXPECT_EQ(Count(text, "per second: 0 RPCs"), 2);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(TopCommand, ShowsStuckStreamsFirst) {
  EXPECT_EQ(Run({.count = 1}), 0);
  const std::string text = captured_.out.text();
  EXPECT_LT(text.find("/shop.Orders/Watch"), text.find("/shop.Orders/Chat"));
}

TEST_F(TopCommand, FindsTheStuckStreamBehindTenThousandOthers) {
  admin_.streams.clear();
  for (uint64_t id = 1; id <= 10001; ++id) admin_.streams.push_back(IdleStream(id, 1s));
  admin_.streams.push_back(StuckStream(20000, 31s));
  EXPECT_EQ(Run({.count = 1}), 0);
  EXPECT_THAT(captured_.out.text(), HasSubstr("\n20000  /shop.Orders/Watch"));
  EXPECT_EQ(Count(captured_.out.text(), "/shop.Orders/"), 10001);
}

TEST_F(TopCommand, EndsWellWhenAskedTo) {
  std::stop_source stop;
  std::thread operator_thread([&] {
    while (admin_.list_requests().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_EQ(Run({.interval = std::chrono::hours(1)}, stop.get_token()), 0);
  operator_thread.join();
  EXPECT_EQ(captured_.err.text(), "");
}

TEST_F(TopCommand, SaysWhereNobodyAnswers) {
  admin_.Stop();
  EXPECT_EQ(Run({}), 1);
  EXPECT_EQ(captured_.out.text(), "");
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: not reachable at " + admin_.address() + ": Connection refused\n");
}

}  // namespace
}  // namespace lanekeeper
