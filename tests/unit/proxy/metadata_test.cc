#include "proxy/rpc/metadata.h"

#include <gmock/gmock.h>
#include <grpc/slice.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/received_metadata.h"

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::vector<std::pair<std::string, std::string>> Entries(const Metadata& metadata) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const grpc_metadata& entry : metadata) {
    entries.emplace_back(ViewOf(entry.key), ViewOf(entry.value));
  }
  return entries;
}

MetadataRules RulesUpTo(int64_t size_bytes_max) { return {size_bytes_max, "metadata_size", {}}; }

MetadataVerdict Judge(const std::string& key, const std::string& value) {
  const ReceivedMetadata received({{key, value}});
  return JudgeMetadata(received.array().metadata[0]);
}

TEST(MetadataTest, UserAgentGoesOnUnderTheNameItIsGiven) {
  const ReceivedMetadata received({{"x-a", "1"}, {"user-agent", "ours/1"}});
  EXPECT_THAT(Entries(TranslateMetadata(received.array(), RulesUpTo(1024)).forward),
              ElementsAre(Pair("x-a", "1"), Pair("user-agent", "ours/1")));
  MetadataRules rules = RulesUpTo(1024);
  rules.user_agent_key = "x-forwarded-user-agent";
  EXPECT_THAT(Entries(TranslateMetadata(received.array(), rules).forward),
              ElementsAre(Pair("x-a", "1"), Pair("x-forwarded-user-agent", "ours/1")));
}

TEST(MetadataTest, OrderAndRepetitionAreKept) {
  const ReceivedMetadata received({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "2"}});
  EXPECT_THAT(Entries(TranslateMetadata(received.array(), RulesUpTo(1024)).forward),
              ElementsAre(Pair("b", "1"), Pair("a", "2"), Pair("b", "3"), Pair("a", "2")));
}

TEST(MetadataTest, FieldsOfOneConnectionAreStripped) {
  for (const char* key :
       {":path", ":authority", "connection", "content-length", "content-type",
        "grpc-accept-encoding", "grpc-encoding", "grpc-internal-anything", "grpc-message",
        "grpc-status", "grpc-timeout", "grpclb_client_stats", "host", "keep-alive",
        "proxy-connection", "te", "transfer-encoding", "upgrade"}) {
    EXPECT_EQ(Judge(key, "v"), MetadataVerdict::kStrip) << key;
  }
}

TEST(MetadataTest, FieldsOfTheRpcAreForwarded) {
  for (const char* key : {"authorization", "traceparent", "tracestate", "user-agent",
                          "x-request-id", "grpc-previous-rpc-attempts", "grpc-retry-pushback-ms",
                          "grpc-status-details-bin", "x-any-bin", "te-x", "a"}) {
    EXPECT_EQ(Judge(key, "v"), MetadataVerdict::kForward) << key;
  }
}

TEST(MetadataTest, BinaryValuesMayHoldAnyByteAndOthersMayNot) {
  const std::string bytes("\x00\x7f\x80\xff\n", 5);
  EXPECT_EQ(Judge("x-data-bin", bytes), MetadataVerdict::kForward);
  for (char byte : bytes) {
    EXPECT_EQ(Judge("x-data", std::string(1, byte)), MetadataVerdict::kIllegal);
  }
}

TEST(MetadataTest, KeysThatGrpcCannotSendAreIllegal) {
  for (const char* key : {"X-Upper", "with space", "caf\xc3\xa9", ""}) {
    EXPECT_EQ(Judge(key, "v"), MetadataVerdict::kIllegal) << key;
  }
}

TEST(MetadataTest, AnIllegalEntryIsNamedInPrintableText) {
  const ReceivedMetadata received({{"good", "v"},
                                   {"b\xc3\x01"
                                    "d",
                                    "v"}});
  const TranslatedMetadata result = TranslateMetadata(received.array(), RulesUpTo(1024));
  EXPECT_EQ(result.problem, TranslatedMetadata::Problem::kIllegal);
  EXPECT_THAT(result.message, HasSubstr("'b??d'"));
}

TEST(MetadataTest, TheSizeCountsKeyValueAndOverheadOfEveryEntry) {
  const ReceivedMetadata received({{"abc", "12345"}, {"te", "trailers"}});  // 3+5+32 + 2+8+32
  EXPECT_EQ(TranslateMetadata(received.array(), RulesUpTo(82)).problem,
            TranslatedMetadata::Problem::kNone);
  EXPECT_EQ(TranslateMetadata(received.array(), RulesUpTo(81)).problem,
            TranslatedMetadata::Problem::kTooLarge);
}

}  // namespace
}  // namespace lanekeeper
