// GET /streams/watch: one JSON object a line.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kWatch[] =
    "GET /streams/watch?interval=100ms HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: "
    "gzip\r\n\r\n";

using HttpWatchTest = AnyAddress;

TEST_P(HttpWatchTest, EveryLineIsAMessage) {
  control_.Add(SomeStream(1));
  RawConnection watcher(server().name());
  ASSERT_TRUE(watcher.Send(kWatch));
  std::string seen = watcher.ReadUntil("OPENED");
  control_.Change(1, [](StreamSnapshot& stream) { ++stream.to_upstream.messages; });
  seen += watcher.ReadUntil("CHANGED");
  control_.Remove(1);
  seen += watcher.ReadUntil("ENDED");
  Stop();
  seen += watcher.ReadAll();

  const HttpAnswer answer = ParseAnswer(seen);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/x-ndjson\r\n"));
  std::istringstream lines(answer.body);
  int messages = 0;
  for (std::string line; std::getline(lines, line); ++messages) {
    adminpb::WatchStreamsResponse message;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(line, &message).ok()) << line;
    EXPECT_TRUE(message.has_totals()) << line;
  }
  EXPECT_GE(messages, 3);
}

TEST_P(HttpWatchTest, TheQueryFilters) {
  control_.AddMany(2);
  control_.Change(2, [](StreamSnapshot& stream) { stream.method = "/demo.Other/Get"; });
  RawConnection watcher(server().name());
  ASSERT_TRUE(watcher.Send(
      "GET /streams/watch?method=Other&max_streams=5 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const std::string matching = R"("streams_matching":"1")";
  EXPECT_THAT(watcher.ReadUntil(matching), HasSubstr(matching));
}

TEST_P(HttpWatchTest, AQueryThatMeansNothingIsRefused) {
  for (const char* query : {"interval=often", "max_streams=x", "page_size=5", "state=bored"}) {
    EXPECT_EQ(Get(std::string("/streams/watch?") + query).status, 400) << query;
  }
}

LANEKEEPER_ANY_ADDRESS(HttpWatchTest);

}  // namespace
}  // namespace lanekeeper::testing
