#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config_equality.h"
#include "config_testing.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The config of text that must load.
Config Loaded(const std::string& text) {
  const ConfigResult result = Load(text);
  EXPECT_THAT(Printed(result), IsEmpty()) << text;
  EXPECT_TRUE(result.config.has_value()) << text;
  return result.config.value_or(Config{});
}

Config Defaults() {
  Config config;
  config.listen = {{"127.0.0.1:50051"}};
  config.upstream.address = "orders:50052";
  return config;
}

class LoadFileTest : public testing::Test {
 protected:
  // A fresh directory per test, so that tests may run at once.
  LoadFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LoadFileTest() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string directory_;
};

TEST(LoadTest, RequiredKeysAloneGiveDefaultsForTheRest) {
  EXPECT_TRUE(SameConfig(Loaded(kRequired), Defaults()));
}

TEST(LoadTest, EveryKeyReachesItsField) {
  const Config config = Loaded(
      "listen:\n"
      "  - address: 127.0.0.1:50051\n"
      "  - address: unix:///run/lanekeeper/proxy.sock\n"
      "upstream:\n"
      "  address: dns:///orders.shop.svc:50052\n"
      "  load_balancing: round_robin\n"
      "  authority: orders.example\n"
      "  wait_for_ready: true\n"
      "  keepalive: {time: 6m, timeout: 1500ms}\n"
      "  resolve_interval: 1m\n"
      "  max_age: 2h\n"
      "  connections: 4\n"
      "rpc_threads: {kind: user, workers: 3}\n"
      "limits: {connections: 6, open_rpcs: 5, queue: {length: 8, timeout: 2s},\n"
      "         upstream_waiting: 4, buffered_bytes: 7MiB, message_size: 4MiB, "
      "metadata_size: 64KiB,\n"
      "         response_metadata_size: 32KiB, streams_per_connection: 3,\n"
      "         methods: [{match: /a.B/C, open_rpcs: 2}, {match: /a.B/*, open_rpcs: 1}]}\n"
      "stuck: {after: 10s, silent_after: 5m, action: cancel}\n"
      "drain: {timeout: 1m30s}\n"
      "metrics: {address: '[::1]:9000', max_methods: 7}\n"
      "admin: {address: 'unix:///run/lanekeeper/admin.sock', allow_remote: true}\n"
      "log: {level: warn, format: json, access: all}\n");
  Config expected;
  expected.listen = {{"127.0.0.1:50051"}, {"unix:///run/lanekeeper/proxy.sock"}};
  expected.upstream = {"dns:///orders.shop.svc:50052",
                       LoadBalancing::kRoundRobin,
                       "orders.example",
                       true,
                       {seconds(360), milliseconds(1500)},
                       seconds(60),
                       seconds(7200),
                       4};
  expected.rpc_threads = {RpcThreadKind::kUser, 3};
  expected.limits = {.connections = 6,
                     .open_rpcs = 5,
                     .queue = {8, seconds(2)},
                     .streams_per_connection = 3,
                     .methods = {{"/a.B/C", 2}, {"/a.B/*", 1}},
                     .upstream_waiting = 4,
                     .buffered_bytes = 7 * 1024 * 1024,
                     .message_size_bytes = 4 * 1024 * 1024,
                     .metadata_size_bytes = 64 * 1024,
                     .response_metadata_size_bytes = 32 * 1024};
  expected.drain = {seconds(90)};
  expected.metrics = {"[::1]:9000", 7};
  expected.stuck = {seconds(10), seconds(300), StuckAction::kCancel};
  expected.admin = {"unix:///run/lanekeeper/admin.sock", true};
  expected.log = {LogLevel::kWarn, LogFormat::kJson, LogAccess::kAll};
  EXPECT_TRUE(SameConfig(config, expected)) << PrintConfig(config);
}

TEST(LoadTest, WordsForNoValueEmptyTheField) {
  const Config config =
      Loaded(WithRequired("  authority: preserve\n"
                          "rpc_threads: {workers: auto}\n"
                          "limits: {message_size: unlimited}\n"
                          "stuck: {silent_after: same}\n"
                          "metrics: {address: off}\n"
                          "admin: {address: off}\n"));
  EXPECT_EQ(config.upstream.authority, std::nullopt);
  EXPECT_EQ(config.rpc_threads.workers, std::nullopt);
  EXPECT_EQ(config.limits.message_size_bytes, std::nullopt);
  EXPECT_EQ(config.stuck.silent_after, std::nullopt);
  EXPECT_EQ(config.metrics.address, std::nullopt);
  EXPECT_EQ(config.admin.address, std::nullopt);
}

TEST(LoadTest, QuotesChangeNothing) {
  const Config config =
      Loaded(WithRequired("  wait_for_ready: 'true'\n"
                          "limits: {open_rpcs: \"7\", 'metadata_size': '2KiB'}\n"
                          "drain: {timeout: '0'}\n"
                          "log: {level: \"debug\"}\n"));
  EXPECT_TRUE(config.upstream.wait_for_ready);
  EXPECT_EQ(config.limits.open_rpcs, 7);
  EXPECT_EQ(config.limits.metadata_size_bytes, 2048);
  EXPECT_EQ(config.drain.timeout, seconds(0));
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
}

TEST(LoadTest, AnchorsAndAliasesRepeatValues) {
  const Config config = Loaded(
      "listen: [{address: &address 127.0.0.1:50051}]\n"
      "upstream:\n"
      "  address: orders:50052\n"
      "  keepalive: {time: &long 20s, timeout: *long}\n"
      "  authority: *address\n");
  EXPECT_EQ(config.upstream.keepalive.time, seconds(20));
  EXPECT_EQ(config.upstream.keepalive.timeout, seconds(20));
  EXPECT_EQ(config.upstream.authority, "127.0.0.1:50051");
}

TEST(LoadTest, DocumentMarksAndByteOrderMarkAreFine) {
  EXPECT_TRUE(SameConfig(Loaded(std::string("---\n") + kRequired + "...\n"), Defaults()));
  EXPECT_TRUE(SameConfig(Loaded(std::string("\xef\xbb\xbf") + kRequired), Defaults()));
}

TEST(LoadTest, WindowsLineEndsAreFine) {
  std::string text;
  for (const char c : std::string(kRequired)) text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_TRUE(SameConfig(Loaded(text), Defaults()));
}

TEST(LoadTest, KernelThreadsMayLeaveWorkersAutomatic) {
  const Config config = Loaded(WithRequired("rpc_threads: {kind: kernel, workers: auto}\n"));
  EXPECT_EQ(config.rpc_threads.kind, RpcThreadKind::kKernel);
  EXPECT_EQ(config.rpc_threads.workers, std::nullopt);
}

TEST(LoadTest, ProblemsLeaveNoConfig) {
  const ConfigResult result = Load(WithRequired("log: {level: loud}\n"));
  EXPECT_FALSE(result.config);
  EXPECT_EQ(result.problems.size(), 1u);
}

TEST(LoadTest, ProblemPrintsAsCompilersDo) {
  EXPECT_EQ((ConfigProblem{"a.yaml", 3, 7, "wrong"}.ToString()), "a.yaml:3:7: wrong");
  EXPECT_EQ((ConfigProblem{"a.yaml", 0, 0, "cannot be read"}.ToString()), "a.yaml: cannot be read");
}

TEST(LoadTest, ProcessEnvironmentKnowsSetFromUnset) {
  ASSERT_EQ(::setenv("LANEKEEPER_CONFIG_TEST", "here", 1), 0);
  EXPECT_EQ(ProcessEnvironment()("LANEKEEPER_CONFIG_TEST"), "here");
  ASSERT_EQ(::unsetenv("LANEKEEPER_CONFIG_TEST"), 0);
  EXPECT_EQ(ProcessEnvironment()("LANEKEEPER_CONFIG_TEST"), std::nullopt);
}

TEST_F(LoadFileTest, FileLoadsUnderItsOwnName) {
  const ConfigResult good = LoadConfigFile(Write("good.yaml", kRequired), FakeEnvironment());
  ASSERT_TRUE(good.config);
  EXPECT_TRUE(SameConfig(*good.config, Defaults()));

  const std::string bad = Write("bad.yaml", WithRequired("log: {level: loud}\n"));
  EXPECT_THAT(Printed(LoadConfigFile(bad, FakeEnvironment())),
              ElementsAre(testing::StartsWith(bad + ":6:14: log.level: ")));
}

TEST_F(LoadFileTest, MissingFileHasNoPosition) {
  const std::string path = directory_ + "/nope.yaml";
  const ConfigResult result = LoadConfigFile(path, FakeEnvironment());
  EXPECT_FALSE(result.config);
  EXPECT_THAT(Printed(result), ElementsAre(path + ": cannot be read: No such file or directory"));
}

TEST_F(LoadFileTest, DirectoryIsNotAFile) {
  EXPECT_THAT(Printed(LoadConfigFile(directory_, FakeEnvironment())),
              ElementsAre(directory_ + ": is a directory, expected a file"));
}

TEST_F(LoadFileTest, UnreadableFileSaysWhy) {
  // A link to itself, for permissions would not stop a test that runs as root.
  const std::string path = directory_ + "/loop.yaml";
  std::filesystem::create_symlink(path, path);
  EXPECT_THAT(Printed(LoadConfigFile(path, FakeEnvironment())),
              ElementsAre(path + ": cannot be read: Too many levels of symbolic links"));
}

TEST_F(LoadFileTest, EndlessFileIsRefused) {
  EXPECT_THAT(Printed(LoadConfigFile("/dev/zero", FakeEnvironment())),
              ElementsAre("/dev/zero: is larger than 1048576 bytes"));
}

TEST_F(LoadFileTest, EmptyFileIsReportedAtItsStart) {
  const std::string path = Write("empty.yaml", "");
  EXPECT_THAT(Printed(LoadConfigFile(path, FakeEnvironment())),
              ElementsAre(testing::AllOf(testing::StartsWith(path + ":1:1: "),
                                         HasSubstr("the file is empty"))));
}

}  // namespace
}  // namespace lanekeeper
