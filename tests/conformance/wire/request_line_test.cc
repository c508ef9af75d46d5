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

TEST_P(WireRequestLine, ContentTypesPassAndTheSchemeIsThatOfTheHop) {
  ExpectEqualToDirect(GetParam(), {{"content-type application/grpc+proto",
                                    Send(With("content-type", "application/grpc+proto")), Answer()},
                                   {"content-type application/grpc+json",
                                    Send(With("content-type", "application/grpc+json")), Answer()},
                                   {"scheme https", Send(With(":scheme", "https")), Answer()}});
}

// It says something about one hop (gRPC doc/PROTOCOL-HTTP2.md): each writes its own.
TEST_P(WireRequestLine, ARequestWithoutTeIsServed) {
  Lab lab(GetParam());
  lab.server().On(kPath, Answer());
  Connection connection(lab.route().target());
  const std::shared_ptr<Stream> rpc = connection.NewStream();
  Send(Without("te"))(*rpc);
  EXPECT_TRUE(rpc->AwaitEnd());
  EXPECT_THAT(ValuesAtEnd(rpc->events(), "grpc-status"), ::testing::ElementsAre("0"));
  EXPECT_EQ(lab.server().arrived(kPath), 1u);
}

TEST_P(WireRequestLine, TheUserAgentIsTheApplications) {
  Lab lab(GetParam());
  const Observation seen = lab.Run({"user agent", Unary(), Answer()});
  EXPECT_THAT(ValuesAtStart(seen.server, "user-agent"), ::testing::ElementsAre("grpc-raw/1"));
}

}  // namespace
}  // namespace lanekeeper::testing::wire
