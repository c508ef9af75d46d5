#include "config/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Each endpoint as "host port" or "path".
std::vector<std::string> Endpoints(std::string_view text) {
  std::string why;
  const auto target = ParseUpstreamTarget(text, &why);
  EXPECT_TRUE(target) << text << ": " << why;
  std::vector<std::string> endpoints;
  for (const ListenAddress& endpoint : target.value_or(UpstreamTarget{}).endpoints) {
    endpoints.push_back(endpoint.is_unix() ? endpoint.unix_path
                                           : endpoint.host + " " + std::to_string(endpoint.port));
  }
  return endpoints;
}

std::string WhyNot(std::string_view text) {
  std::string why;
  EXPECT_FALSE(ParseUpstreamTarget(text, &why)) << text;
  return why;
}

TEST(TargetTest, EverySchemeIsUnderstood) {
  EXPECT_THAT(Endpoints("orders:50051"), ElementsAre("orders 50051"));
  EXPECT_THAT(Endpoints("[::1]:50051"), ElementsAre("::1 50051"));
  EXPECT_THAT(Endpoints("dns:///orders.shop.svc:50051"), ElementsAre("orders.shop.svc 50051"));
  EXPECT_THAT(Endpoints("dns:///[::1]:50051"), ElementsAre("::1 50051"));
  EXPECT_THAT(Endpoints("dns:orders:50051"), ElementsAre("orders 50051"));
  EXPECT_THAT(Endpoints("dns://8.8.8.8/orders:50051"), ElementsAre("orders 50051"));
  EXPECT_THAT(Endpoints("unix:///run/orders.sock"), ElementsAre("/run/orders.sock"));
  EXPECT_THAT(Endpoints("unix:/run/orders.sock"), ElementsAre("/run/orders.sock"));
  EXPECT_THAT(Endpoints("unix:orders.sock"), ElementsAre("orders.sock"));
}

TEST(TargetTest, LiteralsMayBeSeveral) {
  EXPECT_THAT(Endpoints("ipv4:10.0.0.1:80,10.0.0.2:81"), ElementsAre("10.0.0.1 80", "10.0.0.2 81"));
  EXPECT_THAT(Endpoints("ipv6:[::1]:80,[::2]:81"), ElementsAre("::1 80", "::2 81"));
}

TEST(TargetTest, MissingPortIsAnErrorOnEveryTcpTarget) {
  for (const char* text :
       {"orders", "10.0.0.1", "[::1]", "dns:///orders", "dns:orders", "dns:50051", "ipv4:10.0.0.1",
        "ipv6:[::1]", "ipv4:10.0.0.1:80,10.0.0.2"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("the port is missing")) << text;
  }
}

TEST(TargetTest, PortZeroCannotBeDialled) {
  EXPECT_EQ(WhyNot("orders:0"), "expected a port from 1 to 65535, found 'orders:0'");
  EXPECT_THAT(WhyNot("dns:///orders:0"), HasSubstr("expected a port from 1 to 65535"));
  EXPECT_THAT(WhyNot("orders:70000"), HasSubstr("expected a port"));
}

TEST(TargetTest, LiteralsMustBeOfTheirFamily) {
  EXPECT_THAT(WhyNot("ipv4:orders:80"), HasSubstr("expected an IPv4 address and a port"));
  EXPECT_THAT(WhyNot("ipv4:[::1]:80"), HasSubstr("expected an IPv4 address and a port"));
  EXPECT_THAT(WhyNot("ipv6:10.0.0.1:80"), HasSubstr("expected [V6]:PORT"));
  EXPECT_THAT(WhyNot("ipv6:::1"), HasSubstr("[V6]:PORT for IPv6"));
  EXPECT_THAT(WhyNot("ipv4:10.0.0.1:80,"), HasSubstr("the port is missing"));
}

TEST(TargetTest, UnknownSchemesAreRefused) {
  for (const char* text :
       {"http://orders:80", "xds:///orders", "https://orders", "orders:80/path"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("expected HOST:PORT, dns:///HOST:PORT")) << text;
  }
}

TEST(TargetTest, NamesOfTheKernelsAreUnixSocketsToo) {
  std::string why;
  const auto target = ParseUpstreamTarget("unix-abstract:orders", &why);
  ASSERT_TRUE(target) << why;
  EXPECT_TRUE(target->abstract);
  EXPECT_THAT(Endpoints("unix-abstract:orders"), ::testing::ElementsAre("orders"));
  EXPECT_FALSE(ParseUpstreamTarget("unix:orders", &why)->abstract);
  EXPECT_THAT(WhyNot("unix-abstract:"), HasSubstr("expected unix-abstract:NAME"));
}

TEST(TargetTest, DnsAndUnixNeedTheirThirdSlash) {
  EXPECT_EQ(WhyNot("dns://orders:50051"), "expected dns:///HOST:PORT, found 'dns://orders:50051'");
  EXPECT_EQ(WhyNot("unix://run/x"),
            "expected unix:///absolute/path or unix:path, found 'unix://run/x'");
}

TEST(TargetTest, UnixPathsAreChecked) {
  EXPECT_THAT(WhyNot("unix:"), HasSubstr("expected the path of a unix socket"));
  EXPECT_THAT(WhyNot("unix:" + std::string(108, 'x')), HasSubstr("at most 107 bytes"));
}

}  // namespace
}  // namespace lanekeeper
