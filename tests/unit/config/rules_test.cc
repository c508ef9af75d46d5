// Rules across fields, each field being right on its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config_testing.h"

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Listening(const std::string& addresses, const std::string& upstream) {
  return "listen: [" + addresses + "]\nupstream: {address: \"" + upstream + "\"}\n";
}

TEST(RulesTest, SameListenAddressTwiceNamesTheFirstLine) {
  EXPECT_THAT(ProblemsOf("listen:\n"
                         "  - address: 127.0.0.1:50051\n"
                         "  - address: 127.0.0.1:50052\n"
                         "  - address: localhost:50051\n"
                         "upstream: {address: orders:1}\n"),
              ElementsAre("test.yaml:4:14: listen[2].address: 'localhost:50051' is already "
                          "listened on, as '127.0.0.1:50051' on line 2"));
}

TEST(RulesTest, SameUnixPathTwiceIsRefused) {
  EXPECT_THAT(
      ProblemsOf(Listening("{address: 'unix:///a'}, {address: 'unix:///a'}", "orders:1")),
      ElementsAre("test.yaml:1:44: listen[1].address: 'unix:///a' is already listened on, as "
                  "'unix:///a' on line 1"));
}

TEST(RulesTest, SeveralListenersOnPortZeroAreFine) {
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:0'}, {address: '127.0.0.1:0'}", "o:1")),
              IsEmpty());
}

TEST(RulesTest, MetricsOnAListenAddressAreRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("metrics: {address: '0.0.0.0:50051'}\n")),
              ElementsAre("test.yaml:6:20: metrics.address: '0.0.0.0:50051' is already listened on "
                          "for RPCs, as '127.0.0.1:50051' on line 2"));
}

TEST(RulesTest, ListeningWhereMetricsAreServedUnlessGivenIsRefused) {
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:9464'}", "orders:1")),
              ElementsAre("test.yaml:1:20: listen[0].address: '127.0.0.1:9464' is taken by "
                          "metrics.address, which is '0.0.0.0:9464' unless given"));
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:9464'}", "orders:1") +
                         "metrics: {address: off}\n"),
              IsEmpty());
}

TEST(RulesTest, AdminOnAnotherAddressOfOursIsRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("admin: {address: 'localhost:50051'}\n")),
              ElementsAre("test.yaml:6:18: admin.address: 'localhost:50051' is already listened on "
                          "for RPCs, as '127.0.0.1:50051' on line 2"));
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:9465'}", "orders:1")),
              ElementsAre("test.yaml:1:20: listen[0].address: '127.0.0.1:9465' is taken by "
                          "admin.address, which is '127.0.0.1:9465' unless given"));
  EXPECT_THAT(ProblemsOf(WithRequired("admin: {address: 'localhost:9464'}\n")),
              ElementsAre("test.yaml:6:18: admin.address: 'localhost:9464' is taken by "
                          "metrics.address, which is '0.0.0.0:9464'"));
  EXPECT_THAT(ProblemsOf(WithRequired("metrics: {address: '127.0.0.1:9465'}\n")),
              ElementsAre("test.yaml:6:20: metrics.address: '127.0.0.1:9465' is taken by "
                          "admin.address, which is '127.0.0.1:9465'"));
  EXPECT_THAT(ProblemsOf(WithRequired("metrics: {address: '127.0.0.1:9465'}\n"
                                      "admin: {address: off}\n")),
              IsEmpty());
}

TEST(RulesTest, AdminIsLocalUnlessToldOtherwise) {
  for (const char* address :
       {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1", "unix:///a"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("admin: {address: '") + address + "'}\n")),
                IsEmpty())
        << address;
  }
  for (const char* address : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "admin.example:1"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("admin: {address: '") + address + "'}\n")),
                ElementsAre(std::string("test.yaml:6:18: admin.address: other machines may reach "
                                        "'") +
                            address +
                            "', and could cancel streams and end the process there: use a loopback "
                            "address or a unix socket, or say admin.allow_remote: true"));
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("admin: {address: '") + address +
                                        "', allow_remote: true}\n")),
                IsEmpty())
        << address;
  }
}

TEST(RulesTest, ForwardingLoopIsRefused) {
  for (const char* upstream : {"127.0.0.1:50051", "localhost:50051", "dns:///localhost:50051",
                               "ipv4:10.0.0.1:50051,127.0.0.1:50051", "0.0.0.0:50051"}) {
    EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:50051'}", upstream)),
                ElementsAre(std::string("test.yaml:2:21: upstream.address: '") + upstream +
                            "' leads back to '127.0.0.1:50051' on line 1, every RPC would loop"));
  }
  EXPECT_THAT(ProblemsOf(Listening("{address: 'unix:///a'}", "unix:/a")),
              ElementsAre("test.yaml:2:21: upstream.address: 'unix:/a' leads back to 'unix:///a' "
                          "on line 1, every RPC would loop"));
}

TEST(RulesTest, SamePortOnAnotherMachineIsNoLoop) {
  EXPECT_THAT(ProblemsOf(Listening("{address: '0.0.0.0:50051'}", "10.0.0.1:50051")), IsEmpty());
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:50051'}", "dns:///orders:50051")),
              IsEmpty());
}

TEST(RulesTest, WorkersAreForKindUserOnly) {
  EXPECT_THAT(ProblemsOf(WithRequired("rpc_threads:\n  workers: 4\n  kind: kernel\n")),
              ElementsAre("test.yaml:7:12: rpc_threads.workers: 4 is for kind user, kind kernel "
                          "starts one thread per RPC: leave the key out"));
}

TEST(RulesTest, AMethodLimitThatNeverCountsIsRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("limits:\n"
                                      "  methods:\n"
                                      "    - {match: /a.B/C, open_rpcs: 1}\n"
                                      "    - {match: /a.B/*, open_rpcs: 1}\n"
                                      "    - {match: /a.B/D, open_rpcs: 1}\n"
                                      "    - {match: /a.BB/D, open_rpcs: 1}\n"
                                      "    - {match: '*', open_rpcs: 1}\n"
                                      "    - {match: /x.Y/*, open_rpcs: 1}\n")),
              ElementsAre("test.yaml:10:15: limits.methods[2].match: '/a.B/D' never counts: "
                          "'/a.B/*' on line 9 comes first",
                          "test.yaml:13:15: limits.methods[5].match: '/x.Y/*' never counts: '*' on "
                          "line 12 comes first"));
}

TEST(RulesTest, ShortKeepaliveTimeIsRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {time: 9999ms}\n")),
              ElementsAre("test.yaml:6:21: upstream.keepalive.time: expected 0 (off) or at least "
                          "10s, found 9s999ms"));
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {time: 10s}\n")), IsEmpty());
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {time: 0}\n")), IsEmpty());
}

TEST(RulesTest, PingsNeedTimeToBeAnswered) {
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {time: 1m, timeout: 0}\n")),
              ElementsAre("test.yaml:6:34: upstream.keepalive.timeout: 0 leaves no time to answer "
                          "the pings that keepalive.time 1m sends"));
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {time: 0, timeout: 0}\n")), IsEmpty());
}

TEST(RulesTest, UpstreamIntervalsOfLessThanASecondAreRefused) {
  EXPECT_THAT(
      ProblemsOf(WithRequired("  resolve_interval: 999ms\n  max_age: 1ms\n")),
      ElementsAre("test.yaml:6:21: upstream.resolve_interval: expected 0 (off) or at least "
                  "1s, found 999ms",
                  "test.yaml:7:12: upstream.max_age: expected 0 (off) or at least 1s, found "
                  "1ms"));
  EXPECT_THAT(ProblemsOf(WithRequired("  resolve_interval: 1s\n  max_age: 1s\n")), IsEmpty());
}

TEST(RulesTest, FieldsAlreadyRefusedCauseNoFurtherProblems) {
  EXPECT_THAT(ProblemsOf("listen: [{address: 'oops'}, {address: '127.0.0.1:9464'}]\n"
                         "upstream: {address: orders:1}\n"
                         "metrics: {address: 'oops:'}\n"
                         "rpc_threads: {kind: fiber, workers: 4}\n"),
              ElementsAre("test.yaml:1:20: listen[0].address: the port is missing: expected "
                          "HOST:PORT, found 'oops'",
                          "test.yaml:3:20: metrics.address: expected a port from 0 to 65535, found "
                          "''; or write off",
                          "test.yaml:4:21: rpc_threads.kind: expected user or kernel, found "
                          "'fiber'"));
  EXPECT_THAT(ProblemsOf(Listening("{address: '127.0.0.1:9464'}", "orders:1") + "metrics: []\n"),
              ElementsAre("test.yaml:3:10: metrics: expected a map, found a list"));
}

}  // namespace
}  // namespace lanekeeper
