#include "proxy/downstream/request_head.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

// What goes upstream of a request that came under the scheme.
std::string_view SentScheme(std::string_view came, const RequestRules& rules, RequestHead& head) {
  http2::FieldList fields;
  fields.Add(":method", "POST");
  fields.Add(":scheme", came);
  fields.Add(":path", "/s/M");
  fields.Add(":authority", "orders");
  fields.Add("content-type", "application/grpc");
  head = JudgeRequest(fields, false, rules);
  EXPECT_EQ(head.kind, RequestKind::kRpc);
  return head.request.fields.Find(":scheme");
}

TEST(RequestHeadTest, TheSchemeSaysHowTheUpstreamIsReachedWhateverCame) {
  RequestRules rules;
  rules.metadata_bytes_max = 1024;
  RequestHead head;
  for (const char* came : {"http", "https"}) {
    EXPECT_EQ(SentScheme(came, rules, head), "http");
    rules.scheme = "https";
    EXPECT_EQ(SentScheme(came, rules, head), "https");
    rules.scheme = "http";
  }
}

}  // namespace
}  // namespace lanekeeper
