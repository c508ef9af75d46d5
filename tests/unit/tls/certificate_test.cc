#include "proxy/tls/certificate.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "tests/support/certificates.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Pem;
using lanekeeper::testing::TestAuthority;
using lanekeeper::testing::TestFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CertificateTest : public ::testing::Test {
 protected:
  std::string WhyNoCertificate(const std::string& file) {
    std::string why;
    EXPECT_THAT(ReadCertificates(file, &why), IsEmpty());
    return why;
  }
  std::string WhyNoKey(const std::string& file) {
    std::string why;
    EXPECT_EQ(ReadPrivateKey(file, &why), nullptr);
    return why;
  }

  const TestFolder folder_;
  const TestAuthority authority_;
};

TEST_F(CertificateTest, AWholeChainIsReadInOrder) {
  const Pem leaf = authority_.Issue("web", "DNS:web");
  std::string why;
  const auto chain = ReadCertificates(
      folder_.Write("chain", "a remark\n" + leaf.certificate + authority_.certificate()), &why);
  ASSERT_THAT(chain, SizeIs(2)) << why;
  EXPECT_EQ(FactsOf(*chain[0], "chain").subject, "CN=web");
  EXPECT_EQ(FactsOf(*chain[1], "chain").subject, "CN=authority");
}

TEST_F(CertificateTest, WhatIsWrongWithAFileIsSaid) {
  EXPECT_EQ(WhyNoCertificate("/none/x.pem"),
            "'/none/x.pem' cannot be read: No such file or directory");
  EXPECT_EQ(WhyNoKey("/none/x.pem"), "'/none/x.pem' cannot be read: No such file or directory");
  EXPECT_EQ(WhyNoCertificate("/"), "'/' is a directory, expected a file");
  const std::string empty = folder_.Write("empty", "");
  EXPECT_EQ(WhyNoCertificate(empty), "'" + empty + "' holds no certificate in PEM form");
  EXPECT_EQ(WhyNoKey(empty), "'" + empty + "' holds no private key in PEM form");
  const std::string garbled =
      folder_.Write("garbled", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(WhyNoCertificate(garbled), HasSubstr("has a certificate that cannot be read"));
}

TEST_F(CertificateTest, AGarbledCertificateSpoilsTheWholeFile) {
  const std::string file =
      folder_.Write("half", authority_.certificate() + "-----BEGIN CERTIFICATE-----\nAAAA\n");
  EXPECT_THAT(WhyNoCertificate(file), HasSubstr("has a certificate that cannot be read"));
}

TEST_F(CertificateTest, AKeyWithAPassphraseIsRefusedWithoutAsking) {
  const std::string file = folder_.Write("key",
                                         "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                                         "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_EQ(WhyNoKey(file),
            "the key in '" + file + "' is encrypted, expected one without a passphrase");
}

TEST_F(CertificateTest, AFileWithoutAnEndIsNotReadWhole) {
  EXPECT_EQ(WhyNoCertificate("/dev/zero"), "'/dev/zero' is larger than 4194304 bytes");
}

TEST_F(CertificateTest, FactsTellSubjectAndDates) {
  std::string why;
  const int64_t now = std::time(nullptr);
  const auto chain = ReadCertificates(
      folder_.Write("web", authority_.Issue("we\nb", "", {-60, 3600}).certificate), &why);
  ASSERT_THAT(chain, SizeIs(1)) << why;
  const CertificateFacts facts = FactsOf(*chain[0], "web");
  EXPECT_EQ(facts.file, "web");
  EXPECT_EQ(facts.subject, "CN=we\\0Ab");
  EXPECT_NEAR(static_cast<double>(facts.not_before), static_cast<double>(now - 60), 30);
  EXPECT_NEAR(static_cast<double>(facts.not_after), static_cast<double>(now + 3600), 30);
  const auto unnamed = ReadCertificates(
      folder_.Write("unnamed", authority_.Issue("", "URI:spiffe://shop/web").certificate), &why);
  EXPECT_EQ(FactsOf(*unnamed[0], "").subject, "spiffe://shop/web");
}

TEST(CertificateDatesTest, FromTheFirstSecondUntilTheLastItIsValid) {
  const CertificateFacts facts{"", "", 1'000'000'000, 2'000'000'000};
  EXPECT_EQ(ProblemWithDates(facts, 999'999'999), "is not valid before 2001-09-09T01:46:40Z");
  EXPECT_EQ(ProblemWithDates(facts, 1'000'000'000), "");
  EXPECT_EQ(ProblemWithDates(facts, 1'999'999'999), "");
  EXPECT_EQ(ProblemWithDates(facts, 2'000'000'000), "expired on 2033-05-18T03:33:20Z");
}

}  // namespace
}  // namespace lanekeeper
