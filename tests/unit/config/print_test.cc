#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_equality.h"
#include "config_testing.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Config Smallest() {
  Config config;
  config.listen = {{"127.0.0.1:50051"}};
  config.upstream.address = "orders:50052";
  return config;
}

// Loads with an empty environment: a '$' that were not escaped would fail.
void ExpectLoadsBack(const Config& config) {
  const std::string yaml = PrintConfig(config);
  const ConfigResult result = Load(yaml);
  ASSERT_TRUE(result.config) << testing::PrintToString(Printed(result)) << "\n" << yaml;
  EXPECT_TRUE(SameConfig(*result.config, config)) << yaml << PrintConfig(*result.config);
}

TEST(PrintTest, DefaultsLoadBack) { ExpectLoadsBack(Smallest()); }

TEST(PrintTest, EveryFieldLoadsBack) {
  Config config;
  config.listen = {{"[::1]:50051"}, {"unix:///run/lanekeeper.sock", 0660}, {"0.0.0.0:0"}};
  config.upstream = {"ipv6:[::1]:80,[::2]:80",
                     LoadBalancing::kRoundRobin,
                     "[::1]:443",
                     true,
                     {seconds(90), milliseconds(1)}};
  config.rpc_threads = {RpcThreadKind::kUser, 256};
  config.limits = {.open_rpcs = 1'000'000,
                   .upstream_waiting = 999'999,
                   .message_size_bytes = 2'147'483'647,
                   .metadata_size_bytes = 1'048'576,
                   .response_metadata_size_bytes = 4'194'304};
  config.stuck = {milliseconds(2500), seconds(0), StuckAction::kCancel};
  config.drain = {milliseconds(3'723'004)};
  config.metrics = {"[::]:9464", 10'000};
  config.admin = {"0.0.0.0:9465", true};
  config.log = {LogLevel::kError, LogFormat::kJson, LogAccess::kAll};
  ExpectLoadsBack(config);
}

TEST(PrintTest, EveryNamedValueLoadsBack) {
  Config config = Smallest();
  for (const LogLevel level :
       {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    config.log.level = level;
    ExpectLoadsBack(config);
  }
  for (const LogAccess access : {LogAccess::kOff, LogAccess::kErrors, LogAccess::kAll}) {
    config.log.access = access;
    ExpectLoadsBack(config);
  }
  config.stuck.action = StuckAction::kCancel;
  ExpectLoadsBack(config);
  config.admin.address = std::nullopt;
  ExpectLoadsBack(config);
  config.rpc_threads.kind = RpcThreadKind::kKernel;
  ExpectLoadsBack(config);
  config.metrics.address = std::nullopt;
  ExpectLoadsBack(config);
  config.drain.timeout = seconds(0);
  ExpectLoadsBack(config);
  config.limits.connections = 999'998;
  config.limits.buffered_bytes = 1024 * 1024;
  config.limits.queue = {5, seconds(1)};
  config.limits.streams_per_connection = 7;
  config.limits.methods = {{"/a.B/C$", 2}, {"/a.B/*", 100}, {"*", 1}};
  ExpectLoadsBack(config);
}

TEST(PrintTest, DollarsAreDoubled) {
  Config config = Smallest();
  config.listen = {{"unix:///run/$HOME${X}$$.sock"}};
  EXPECT_THAT(PrintConfig(config), HasSubstr("unix:///run/$$HOME$${X}$$$$.sock"));
  config.listen = {{"unix:///run/$HOME$$.sock"}};
  config.upstream.authority = "a$b$$";
  ExpectLoadsBack(config);
}

TEST(PrintTest, TextThatYamlWouldReadOtherwiseIsQuoted) {
  for (const char* authority : {"~", "null", "true", "0x10", "*alias", "&anchor", "!tag",
                                "'quoted'", "-", "a:", ",", "[]"}) {
    Config config = Smallest();
    config.upstream.authority = authority;
    ExpectLoadsBack(config);
  }
}

TEST(PrintTest, QuotesBackslashesAndControlCharactersAreEscaped) {
  // No such authority loads, but printing must not break out of its quotes either.
  Config config = Smallest();
  config.upstream.authority = "a\"\\\n\x01: b";
  EXPECT_THAT(PrintConfig(config), HasSubstr("  authority: \"a\\\"\\\\\\x0a\\x01: b\"\n"));
}

TEST(PrintTest, DefaultsPrintAsTheReferenceWritesThem) {
  EXPECT_EQ(PrintConfig(Smallest()),
            "listen:\n"
            "  - address: \"127.0.0.1:50051\"\n"
            "    mode: auto\n"
            "    tls:\n"
            "      certificate: off\n"
            "      key: off\n"
            "      client_ca: off\n"
            "      client_names: any\n"
            "upstream:\n"
            "  address: \"orders:50052\"\n"
            "  load_balancing: pick_first\n"
            "  authority: preserve\n"
            "  wait_for_ready: false\n"
            "  keepalive:\n"
            "    time: 0\n"
            "    timeout: 20s\n"
            "  resolve_interval: 0\n"
            "  max_age: 0\n"
            "  connections: 1\n"
            "  tls:\n"
            "    ca: off\n"
            "    certificate: off\n"
            "    key: off\n"
            "    server_name: auto\n"
            "rpc_threads:\n"
            "  kind: user\n"
            "  workers: auto\n"
            "limits:\n"
            "  connections: 10000\n"
            "  open_rpcs: 10000\n"
            "  queue:\n"
            "    length: 0\n"
            "    timeout: 0\n"
            "  streams_per_connection: unlimited\n"
            "  methods: []\n"
            "  upstream_waiting: 10000\n"
            "  buffered_bytes: 256MiB\n"
            "  message_size: unlimited\n"
            "  metadata_size: 16KiB\n"
            "  response_metadata_size: same\n"
            "stuck:\n"
            "  after: 30s\n"
            "  silent_after: same\n"
            "  action: report\n"
            "drain:\n"
            "  timeout: 25s\n"
            "reload:\n"
            "  watch: true\n"
            "metrics:\n"
            "  address: \"0.0.0.0:9464\"\n"
            "  max_methods: 200\n"
            "admin:\n"
            "  address: \"127.0.0.1:9465\"\n"
            "  allow_remote: false\n"
            "  read_only: false\n"
            "log:\n"
            "  level: info\n"
            "  format: text\n"
            "  access: errors\n");
}

}  // namespace
}  // namespace lanekeeper
