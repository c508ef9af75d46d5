// What a request says besides metadata: path, authority, scheme, content type, te.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WireRequestLine : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireRequestLine);

Fields With(const std::string& name, const std::string& value) {
  Fields fields = Request();
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

Fields Without(const std::string& name) {
  Fields fields = Request();
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

Script Send(Fields headers) {
  return [=](Stream& rpc) {
    rpc.Headers(headers).LastMessage("request");
    rpc.AwaitEnd();
  };
}

TEST_P(WireRequestLine, AuthoritiesPass) {
  std::vector<Case> cases;
  for (const char* authority : {"orders", "orders.shop.svc:50051", "127.0.0.1:1", "[::1]:50051",
                                "unix:/run/x.sock", "UPPER.example", "a_b~c!$&'()*+,;=%41"}) {
    cases.push_back(
        {std::string("authority ") + authority, Send(With(":authority", authority)), Answer()});
  }
  ExpectEqualToDirect(GetParam(), cases);
}

TEST_P(WireRequestLine, HostStandsInForAMissingAuthority) {
  Fields headers = Without(":authority");
  headers.emplace_back("host", "named.by.host");
  ExpectEqualToDirect(GetParam(), {{"host alone", Send(headers), Answer()}});
}

TEST_P(WireRequestLine, AFixedAuthorityIsWhatTheServerSees) {
  if (GetParam().proxies == 0) GTEST_SKIP() << "nothing fixes it";
  Lab lab(GetParam(), [](Config& config) { config.upstream.authority = "fixed.test:443"; });
  const Observation seen = lab.Run({"fixed authority", Unary(), Answer()});
  EXPECT_THAT(ValuesAtStart(seen.server, ":authority"), ElementsAre("fixed.test:443"));
  EXPECT_THAT(ValuesAtEnd(seen.client, "grpc-status"), ElementsAre("0"));
}

TEST_P(WireRequestLine, ContentTypesArriveAsCoreWritesThem) {
  ExpectEqualToDirect(GetParam(), {{"content-type application/grpc+proto",
                                    Send(With("content-type", "application/grpc+proto")), Answer()},
                                   {"content-type application/grpc+json",
                                    Send(With("content-type", "application/grpc+json")), Answer()},
                                   {"scheme https", Send(With(":scheme", "https")), Answer()}});
}

// Core's server refuses it, as PROTOCOL-HTTP2.md lets it; a raw server does not mind.
TEST_P(WireRequestLine, ARequestWithoutTeIsRefusedByLanekeeperItself) {
  if (GetParam().proxies == 0) GTEST_SKIP() << "raw peers do not look at te";
  Lab lab(GetParam());
  lab.server().On(kPath, Answer());
  Connection connection(lab.route().target());
  const std::shared_ptr<Stream> rpc = connection.NewStream();
  Send(Without("te"))(*rpc);
  EXPECT_THAT(ValuesAtEnd(rpc->events(), "grpc-status"), ::testing::Not(::testing::Contains("0")));
  EXPECT_TRUE(rpc->ended());
  EXPECT_EQ(lab.server().arrived(kPath), 0u);
}

TEST_P(WireRequestLine, TheUserAgentIsLanekeepers) {
  Lab lab(GetParam());
  const Observation seen = lab.Run({"user agent", Unary(), Answer()});
  const auto agents = ValuesAtStart(seen.server, "user-agent");
  ASSERT_EQ(agents.size(), 1u);
  EXPECT_THAT(agents[0], HasSubstr(GetParam().proxies == 0 ? "grpc-raw/1" : "grpc-c"));
}

}  // namespace
}  // namespace lanekeeper::testing::wire
