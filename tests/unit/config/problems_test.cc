// What the loader says about files that are wrong on their own terms; rules across fields are in
// rules_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config_testing.h"

namespace lanekeeper {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST(ProblemsTest, UnknownKeySuggestsTheNearest) {
  EXPECT_THAT(ProblemsOf(WithRequired("metricz: {}\n")),
              ElementsAre("test.yaml:6:1: unknown key 'metricz', did you mean 'metrics'?"));
  EXPECT_THAT(ProblemsOf(WithRequired("  keepalive: {tiem: 20s}\n")),
              ElementsAre("test.yaml:6:15: unknown key 'upstream.keepalive.tiem', did you mean "
                          "'time'?"));
}

TEST(ProblemsTest, UnknownKeyWithNothingNearListsTheValidOnes) {
  EXPECT_THAT(ProblemsOf(WithRequired("tls: {}\n")),
              ElementsAre("test.yaml:6:1: unknown key 'tls', expected one of: listen, upstream, "
                          "rpc_threads, limits, stuck, drain, reload, metrics, admin, log"));
}

TEST(ProblemsTest, UnknownKeyInAListNamesItsEntry) {
  EXPECT_THAT(ProblemsOf("listen:\n"
                         "  - address: 127.0.0.1:1\n"
                         "  - address: 127.0.0.1:2\n"
                         "    adress: x\n"
                         "upstream: {address: orders:1}\n"),
              ElementsAre("test.yaml:4:5: unknown key 'listen[1].adress', did you mean "
                          "'address'?"));
}

TEST(ProblemsTest, DuplicateKeyNamesBothLines) {
  EXPECT_THAT(ProblemsOf(WithRequired("log: {level: info}\nlog: {level: warn}\n")),
              ElementsAre("test.yaml:7:1: duplicate key 'log', first given on line 6"));
}

TEST(ProblemsTest, DuplicateKeysAreFoundAtEveryDepth) {
  EXPECT_THAT(
      ProblemsOf("listen: [{address: 127.0.0.1:1, address: 127.0.0.1:2}]\n"
                 "upstream:\n"
                 "  address: orders:1\n"
                 "  keepalive:\n"
                 "    time: 20s\n"
                 "    time: 20s\n"
                 "    \"time\": 20s\n"),
      ElementsAre("test.yaml:1:33: duplicate key 'listen[0].address', first given on line 1",
                  "test.yaml:6:5: duplicate key 'upstream.keepalive.time', first given on line 5",
                  "test.yaml:7:5: duplicate key 'upstream.keepalive.time', first given on line 5"));
}

TEST(ProblemsTest, MissingRequiredKeysPointAtTheirMap) {
  EXPECT_THAT(ProblemsOf("# nothing much\nlog: {level: info}\n"),
              ElementsAre("test.yaml:2:1: listen: this required key is missing",
                          "test.yaml:2:1: upstream.address: this required key is missing"));
  EXPECT_THAT(ProblemsOf("listen:\n  - {}\nupstream:\n  wait_for_ready: true\n"),
              ElementsAre("test.yaml:2:5: listen[0].address: this required key is missing",
                          "test.yaml:4:3: upstream.address: this required key is missing"));
}

TEST(ProblemsTest, EmptyFilesOfAnyKindAreNamedSo) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~", "null\n", "--- # x\n"}) {
    EXPECT_THAT(ProblemsOf(text),
                ElementsAre("test.yaml:1:1: the file is empty, expected at least 'listen' and "
                            "'upstream'"))
        << text;
  }
}

TEST(ProblemsTest, TopMustBeAMap) {
  EXPECT_THAT(ProblemsOf("- listen\n"), ElementsAre("test.yaml:1:1: expected a map, found a list"));
  EXPECT_THAT(ProblemsOf("\nlisten\n"),
              ElementsAre("test.yaml:2:1: expected a map, found 'listen'"));
}

TEST(ProblemsTest, WrongShapesSayWhatWasFound) {
  EXPECT_THAT(ProblemsOf("listen: 127.0.0.1:50051\n"
                         "upstream: [orders:50052]\n"
                         "rpc_threads: user\n"
                         "limits: {open_rpcs: {max: 5}, message_size: [4MiB]}\n"),
              ElementsAre("test.yaml:1:9: listen: expected a list, found '127.0.0.1:50051'",
                          "test.yaml:2:11: upstream: expected a map, found a list",
                          "test.yaml:3:14: rpc_threads: expected a map, found 'user'",
                          "test.yaml:4:21: limits.open_rpcs: expected a single value, found a map",
                          "test.yaml:4:45: limits.message_size: expected a single value, found a "
                          "list"));
}

TEST(ProblemsTest, ListEntriesMustBeMaps) {
  EXPECT_THAT(ProblemsOf("listen: [127.0.0.1:50051, , [a]]\nupstream: {address: orders:1}\n"),
              AllOf(Contains("test.yaml:1:10: listen[0]: expected a map, found '127.0.0.1:50051'"),
                    Contains(EndsWith("listen[2]: expected a map, found a list"))));
  EXPECT_THAT(ProblemsOf("listen: []\nupstream: {address: orders:1}\n"),
              ElementsAre("test.yaml:1:9: listen: expected at least one entry, found an empty "
                          "list"));
}

TEST(ProblemsTest, NothingIsNeitherAMapNorAValue) {
  EXPECT_THAT(ProblemsOf("listen:\n"
                         "  - address: 127.0.0.1:50051\n"
                         "upstream:\n"
                         "drain: ~\n"
                         "log:\n"
                         "  level:\n"
                         "  format: null\n"),
              ElementsAre("test.yaml:3:1: upstream: expected a map, found nothing",
                          "test.yaml:4:1: drain: expected a map, found nothing",
                          "test.yaml:6:3: log.level: expected a single value, found nothing",
                          "test.yaml:7:3: log.format: expected a single value, found nothing"));
}

TEST(ProblemsTest, EmptyTextIsNotNothing) {
  EXPECT_THAT(ProblemsOf(WithRequired("log: {level: ''}\n")),
              ElementsAre("test.yaml:6:14: log.level: expected trace, debug, info, warn or error, "
                          "found ''"));
}

TEST(ProblemsTest, MissingUnitsAreSaid) {
  EXPECT_THAT(
      ProblemsOf(WithRequired("drain: {timeout: 25}\nlimits: {message_size: 4194304}\n")),
      ElementsAre("test.yaml:6:18: drain.timeout: the unit is missing: expected a duration such as "
                  "250ms, 30s, 5m, 1h or 1m30s (0 is off), found '25'",
                  "test.yaml:7:24: limits.message_size: the unit is missing: expected a size such "
                  "as 512B, 64KiB, 4MiB or 1GiB, found '4194304'; or write unlimited"));
}

TEST(ProblemsTest, NumbersThatYamlReadersDisagreeOnAreRefused) {
  for (const char* number : {"0x10", "1_000", "010", "1e3", "5.0", "+5", "-5", ".inf", "5 000"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("limits: {open_rpcs: ") + number + "}\n")),
                ElementsAre(std::string("test.yaml:6:21: limits.open_rpcs: expected a whole number "
                                        "in plain decimal, found '") +
                            number + "'"));
  }
}

TEST(ProblemsTest, BooleansAreTrueOrFalseOnly) {
  for (const char* text : {"yes", "on", "True", "TRUE", "1", "y"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("  wait_for_ready: ") + text + "\n")),
                ElementsAre(std::string("test.yaml:6:19: upstream.wait_for_ready: expected true or "
                                        "false, found '") +
                            text + "'"));
  }
}

TEST(ProblemsTest, MethodsAreAPathAServiceOrAll) {
  for (const char* match : {"*", "/a.B/*", "/a.B/C", "/B/C"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("limits: {methods: [{match: '") + match +
                                        "', open_rpcs: 1}]}\n")),
                SizeIs(0))
        << match;
  }
  for (const char* match : {"", "a.B/C", "/a.B", "/a.B/", "//C", "/a.B/C*", "/a.*/C", "/*/C",
                            "/a.B/C/D", "**", "/a.B/**", "/*"}) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string("limits: {methods: [{match: '") + match +
                                        "', open_rpcs: 1}]}\n")),
                ElementsAre(std::string("test.yaml:6:28: limits.methods[0].match: expected "
                                        "/package.Service/Method, /package.Service/* or *, "
                                        "found '") +
                            match + "'"));
  }
}

TEST(ProblemsTest, AnEntryOfMethodsNeedsBothKeys) {
  EXPECT_THAT(ProblemsOf(WithRequired("limits: {methods: [{match: /a.B/C}, {open_rpcs: 0}]}\n")),
              ElementsAre("test.yaml:6:20: limits.methods[0].open_rpcs: this required key is "
                          "missing",
                          "test.yaml:6:37: limits.methods[1].match: this required key is missing",
                          "test.yaml:6:49: limits.methods[1].open_rpcs: expected 1 to 1000000, "
                          "found '0'"));
}

struct OutOfRange {
  const char* yaml;
  const char* problem;
};

TEST(ProblemsTest, ValuesOutOfRangeNameTheRange) {
  const OutOfRange cases[] = {
      {"limits: {open_rpcs: 0}", "limits.open_rpcs: expected 1 to 1000000, found '0'"},
      {"limits: {open_rpcs: 1000001}", "limits.open_rpcs: expected 1 to 1000000, found '1000001'"},
      {"limits: {message_size: 0}",
       "limits.message_size: expected 1B to 2147483647B, found '0'; or write unlimited"},
      {"limits: {message_size: 2GiB}",
       "limits.message_size: expected 1B to 2147483647B, found '2GiB'; or write unlimited"},
      {"limits: {metadata_size: 1023B}",
       "limits.metadata_size: expected 1KiB to 1MiB, found '1023B'"},
      {"limits: {metadata_size: 1025KiB}",
       "limits.metadata_size: expected 1KiB to 1MiB, found '1025KiB'"},
      {"limits: {response_metadata_size: 5MiB}",
       "limits.response_metadata_size: expected 1KiB to 4MiB, found '5MiB'; or write same"},
      {"limits: {upstream_waiting: 0}",
       "limits.upstream_waiting: expected 1 to 1000000, found '0'"},
      {"limits: {connections: 0}", "limits.connections: expected 1 to 1000000, found '0'"},
      {"limits: {queue: {length: 1000001}}",
       "limits.queue.length: expected 0 to 1000000, found '1000001'"},
      {"limits: {queue: {timeout: 169h}}",
       "limits.queue.timeout: expected 0 to 168h, found '169h'"},
      {"limits: {buffered_bytes: 1023KiB}",
       "limits.buffered_bytes: expected 1MiB to 64GiB, found '1023KiB'"},
      {"limits: {streams_per_connection: 0}",
       "limits.streams_per_connection: expected 1 to 1000000, found '0'; or write unlimited"},
      {"rpc_threads: {workers: 0}",
       "rpc_threads.workers: expected 1 to 256, found '0'; or write auto"},
      {"rpc_threads: {workers: 257}",
       "rpc_threads.workers: expected 1 to 256, found '257'; or write auto"},
      {"metrics: {max_methods: 0}", "metrics.max_methods: expected 1 to 10000, found '0'"},
      {"metrics: {max_methods: 10001}", "metrics.max_methods: expected 1 to 10000, found '10001'"},
      {"drain: {timeout: 169h}", "drain.timeout: expected 0 to 168h, found '169h'"},
  };
  for (const OutOfRange& wrong : cases) {
    EXPECT_THAT(ProblemsOf(WithRequired(std::string(wrong.yaml) + "\n")),
                ElementsAre(AllOf(StartsWith("test.yaml:6:"), EndsWith(wrong.problem))));
  }
}

TEST(ProblemsTest, BoundsThemselvesAreIn) {
  EXPECT_THAT(ProblemsOf(WithRequired("limits: {open_rpcs: 1, message_size: 1B, "
                                      "metadata_size: 1KiB}\n"
                                      "rpc_threads: {workers: 1}\n"
                                      "metrics: {max_methods: 1}\n"
                                      "drain: {timeout: 0}\n")),
              SizeIs(0));
  EXPECT_THAT(ProblemsOf(WithRequired("limits: {open_rpcs: 1000000, message_size: 2147483647B, "
                                      "metadata_size: 1MiB}\n"
                                      "rpc_threads: {workers: 256}\n"
                                      "metrics: {max_methods: 10000}\n"
                                      "drain: {timeout: 168h}\n")),
              SizeIs(0));
}

TEST(ProblemsTest, AddressesAreCheckedWhereTheyStand) {
  EXPECT_THAT(ProblemsOf("listen: [{address: 127.0.0.1}]\n"
                         "upstream: {address: dns:///orders, authority: 'a b'}\n"
                         "metrics: {address: 'unix:///run/metrics'}\n"),
              ElementsAre("test.yaml:1:20: listen[0].address: the port is missing: expected "
                          "HOST:PORT, found '127.0.0.1'",
                          "test.yaml:2:21: upstream.address: the port is missing: expected "
                          "HOST:PORT, found 'orders'",
                          "test.yaml:2:47: upstream.authority: expected an authority such as "
                          "orders.example:443, found 'a b'; or write preserve",
                          "test.yaml:3:20: metrics.address: expected HOST:PORT, found "
                          "'unix:///run/metrics'; or write off"));
}

TEST(ProblemsTest, SyntaxErrorsHaveAPosition) {
  EXPECT_THAT(ProblemsOf("listen:\n  - address: [a\n"),
              ElementsAre(AllOf(StartsWith("test.yaml:3:1: not valid YAML: "), HasSubstr("flow"))));
  EXPECT_THAT(ProblemsOf("log: x\n\tdrain: y\n"),
              ElementsAre(AllOf(StartsWith("test.yaml:2:1: not valid YAML: "), HasSubstr("tab"))));
  EXPECT_THAT(ProblemsOf("log: *nowhere\n"),
              ElementsAre(AllOf(StartsWith("test.yaml:1:6: "), HasSubstr("anchor"))));
}

TEST(ProblemsTest, SecondDocumentIsRefused) {
  EXPECT_THAT(ProblemsOf(std::string(kRequired) + "---\n" + kRequired),
              ElementsAre("test.yaml:6:1: expected one document and nothing after it, found more "
                          "here"));
  EXPECT_THAT(ProblemsOf(WithRequired("---\n")), SizeIs(1));
}

TEST(ProblemsTest, MergeKeysAreNamedAsUnsupported) {
  EXPECT_THAT(ProblemsOf(WithRequired("log:\n  <<: {level: info}\n")),
              ElementsAre("test.yaml:7:3: merge keys ('<<') are not supported"));
}

TEST(ProblemsTest, TagsAreRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("log: {level: !secret info}\ndrain: !!map {timeout: 1s}\n")),
              ElementsAre("test.yaml:6:14: log.level: tags such as '!secret' are not supported",
                          "test.yaml:7:8: drain: tags such as 'tag:yaml.org,2002:map' are not "
                          "supported"));
}

TEST(ProblemsTest, KeysThatAreNotTextAreRefused) {
  EXPECT_THAT(ProblemsOf(WithRequired("? {a: b}\n: c\n? [d]\n: e\n? ~\n: f\n")),
              ElementsAre("test.yaml:6:3: expected a key, found a map",
                          "test.yaml:8:3: expected a key, found a list",
                          "test.yaml:10:3: expected a key, found nothing"));
}

TEST(ProblemsTest, AllProblemsComeAtOnceInFileOrder) {
  EXPECT_THAT(ProblemsOf("log: {level: loud}\n"
                         "upstream: {adress: orders:1}\n"
                         "limits: {open_rpcs: ten}\n"
                         "log: {}\n"
                         "listen: []\n"),
              ElementsAre(StartsWith("test.yaml:1:14: log.level: "),
                          StartsWith("test.yaml:2:11: upstream.address: this required key"),
                          StartsWith("test.yaml:2:12: unknown key 'upstream.adress'"),
                          StartsWith("test.yaml:3:21: limits.open_rpcs: "),
                          StartsWith("test.yaml:4:1: duplicate key 'log'"),
                          StartsWith("test.yaml:5:9: listen: ")));
}

TEST(ProblemsTest, AliasedMistakeIsReportedWhereItIsWritten) {
  EXPECT_THAT(ProblemsOf("listen: [&one {adress: x, address: 127.0.0.1:0}]\n"
                         "upstream: {address: orders:1, keepalive: &odd {tiem: 1s}}\n"
                         "drain: *odd\n"),
              ElementsAre("test.yaml:1:16: unknown key 'listen[0].adress', did you mean "
                          "'address'?",
                          "test.yaml:2:48: unknown key 'upstream.keepalive.tiem', did you mean "
                          "'time'?",
                          "test.yaml:2:48: unknown key 'drain.tiem', expected one of: timeout"));
}

}  // namespace
}  // namespace lanekeeper
