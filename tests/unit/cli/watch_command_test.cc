#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::EndsWith;

class WatchCommand : public testing::Test {
 protected:
  WatchCommand() {
    admin::v1::StreamEvent* event = admin_.looks.emplace_back().add_events();
    event->set_kind(admin::v1::StreamEvent::STUCK);
    *event->mutable_stream() = StuckStream(17, 31s);
    std::signal(SIGPIPE, SIG_IGN);  // as the command line does
  }

  int Watch(const WatchOptions& options = {}, std::stop_token stop = {}) {
    AdminClient client(admin_.address(), std::move(stop));
    return WatchStreams(client, options, captured_.output);
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
};

TEST_F(WatchCommand, PrintsAnEventALineWithItsTime) {
  EXPECT_EQ(Watch(), 0);
  EXPECT_THAT(captured_.out.text(),
              ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}Z stuck 17 "));
  EXPECT_THAT(captured_.out.text(),
              EndsWith("Z stuck 17 /shop.Orders/Watch slow_receiver to_downstream 31s\n"));
}

TEST_F(WatchCommand, PrintsJson) {
  WatchOptions options;
  options.json = true;
  EXPECT_EQ(Watch(options), 0);
  const nlohmann::json event = nlohmann::json::parse(captured_.out.text());
  EXPECT_EQ(event["kind"], "STUCK");
  EXPECT_EQ(event["stream"]["id"], "17");
  EXPECT_EQ(event["time"].get<std::string>().size(), 24);
}

TEST_F(WatchCommand, AsksWithFilterAndInterval) {
  WatchOptions options;
  options.filter.set_peer("40002");
  options.interval = 250ms;
  EXPECT_EQ(Watch(options), 0);
  ASSERT_EQ(admin_.watch_requests().size(), 1);
  EXPECT_EQ(admin_.watch_requests()[0].filter().peer(), "40002");
  EXPECT_EQ(FromProto(admin_.watch_requests()[0].interval()), 250ms);
}

TEST_F(WatchCommand, FollowsAsManyStreamsAsTheDaemonAllows) {
  EXPECT_EQ(Watch(), 0);
  ASSERT_EQ(admin_.watch_requests().size(), 1);
  EXPECT_EQ(admin_.watch_requests()[0].max_streams(), 10000);
}

TEST_F(WatchCommand, EndsWellWhenAskedTo) {
  admin_.watch_stays = true;
  std::stop_source stop;
  std::thread watcher([&] {
    admin_.AwaitWatch();
    stop.request_stop();
  });
  EXPECT_EQ(Watch({}, stop.get_token()), 0);
  watcher.join();
  EXPECT_EQ(captured_.err.text(), "");
}

TEST_F(WatchCommand, EndsWithItsReaderAlsoWhileNothingHappens) {
  admin_.watch_stays = true;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  FILE* pipe_file = fdopen(ends[1], "w");
  std::thread reader([&] {
    admin_.AwaitWatch();
    close(ends[0]);
  });
  Output output(pipe_file, captured_.err.file());
  AdminClient client(admin_.address());
  EXPECT_EQ(WatchStreams(client, {}, output), 0);
  reader.join();
  EXPECT_EQ(captured_.err.text(), "");
  std::fclose(pipe_file);
}

TEST_F(WatchCommand, EndsWhenItCannotWrite) {
  admin_.watch_stays = true;
  FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Output output(full, captured_.err.file());
  AdminClient client(admin_.address());
  EXPECT_EQ(WatchStreams(client, {}, output), 1);
  EXPECT_EQ(captured_.err.text(), "lanekeeper: cannot write: No space left on device\n");
  std::fclose(full);
}

TEST_F(WatchCommand, SaysThatTheDaemonHasEnded) {
  admin_.watch_ends = grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  EXPECT_EQ(Watch(), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: not reachable at " + admin_.address() + ": draining\n");
}

TEST_F(WatchCommand, SaysWhereNobodyAnswers) {
  admin_.Stop();
  EXPECT_EQ(Watch(), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: not reachable at " + admin_.address() + ": Connection refused\n");
}

}  // namespace
}  // namespace lanekeeper
