#include "proxy/tls/names.h"

#include <gmock/gmock.h>

#include "proxy/tls/certificate.h"
#include "tests/support/certificates.h"

namespace lanekeeper {
namespace {

class NamesTest : public ::testing::Test {
 protected:
  OpenSsl<X509> Named(const std::string& names) {
    std::string why;
    auto read = ReadCertificates(
        folder_.Write("leaf", authority_.Issue("common", names).certificate), &why);
    EXPECT_EQ(why, "");
    return std::move(read.at(0));
  }
  bool Has(const std::string& names, const std::string& wanted) {
    return HasOneOf(*Named(names), {wanted});
  }

  const testing::TestFolder folder_;
  const testing::TestAuthority authority_;
};

TEST_F(NamesTest, DnsNamesMatchWhateverTheirCase) {
  EXPECT_TRUE(Has("DNS:Web.Shop", "web.shop"));
  EXPECT_FALSE(Has("DNS:web.shop", "web"));
  EXPECT_FALSE(Has("DNS:web.shop", "shop"));
  EXPECT_FALSE(Has("DNS:web.shop", "web.shop.svc"));
}

TEST_F(NamesTest, AStarStandsForOneLabelOfTheCertificate) {
  EXPECT_TRUE(Has("DNS:web.shop", "*.shop"));
  EXPECT_FALSE(Has("DNS:a.web.shop", "*.shop"));
  EXPECT_FALSE(Has("DNS:shop", "*.shop"));
  // What the certificate's star stands for, the operator did not write.
  EXPECT_FALSE(Has("DNS:*.shop", "web.shop"));
}

TEST_F(NamesTest, UrisMatchByteByByte) {
  EXPECT_TRUE(Has("URI:spiffe://shop/web", "spiffe://shop/web"));
  EXPECT_FALSE(Has("URI:spiffe://shop/Web", "spiffe://shop/web"));
  EXPECT_FALSE(Has("URI:spiffe://shop/web/a", "spiffe://shop/web"));
}

TEST_F(NamesTest, IpAddressesMatchHoweverTheyAreWritten) {
  EXPECT_TRUE(Has("IP:10.0.0.1", "10.0.0.1"));
  EXPECT_TRUE(Has("IP:2001:db8:0:0:0:0:0:1", "2001:db8::1"));
  EXPECT_FALSE(Has("IP:10.0.0.1", "10.0.0.2"));
  EXPECT_FALSE(Has("DNS:10.0.0.1", "10.0.0.2"));
}

TEST_F(NamesTest, TheCommonNameCountsForNothing) {
  EXPECT_FALSE(Has("", "common"));
  EXPECT_FALSE(Has("DNS:other", "common"));
}

TEST_F(NamesTest, OneOfSeveralIsEnough) {
  EXPECT_TRUE(HasOneOf(*Named("DNS:a,URI:spiffe://b,IP:10.0.0.1"), {"x", "spiffe://b"}));
  EXPECT_FALSE(HasOneOf(*Named("DNS:a,URI:spiffe://b"), {"x", "y"}));
  EXPECT_FALSE(HasOneOf(*Named("DNS:a"), {}));
}

TEST_F(NamesTest, NamesAreShownForPeople) {
  EXPECT_EQ(NamesOf(*Named("DNS:a,URI:spiffe://b,IP:10.0.0.1,IP:::1"), 3),
            "a, spiffe://b, 10.0.0.1 and 1 more");
  EXPECT_EQ(NamesOf(*Named("DNS:a"), 3), "a");
  EXPECT_EQ(NamesOf(*Named(""), 3), "no name");
  EXPECT_EQ(NamesOf(*Named("DNS:a\nb"), 3), "a?b");
}

TEST(IpLiteralTest, LiteralsAreToldFromNames) {
  EXPECT_TRUE(IsIpLiteral("10.0.0.1"));
  EXPECT_TRUE(IsIpLiteral("::1"));
  EXPECT_FALSE(IsIpLiteral("web.shop"));
  EXPECT_FALSE(IsIpLiteral(""));
}

}  // namespace
}  // namespace lanekeeper
