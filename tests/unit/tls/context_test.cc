#include "proxy/tls/context.h"

#include <gmock/gmock.h>

#include "tests/support/certificates.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Pem;
using lanekeeper::testing::TestAuthority;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class ContextTest : public ::testing::Test, protected lanekeeper::testing::PairFiles {
 protected:
  ContextTest() : PairFiles("web", "web") {}

  std::vector<std::string> ProblemsOfServer(const TlsServerFiles& files) {
    std::vector<TlsProblem> problems;
    const auto context = TlsContext::ForServer(files, problems);
    EXPECT_EQ(context == nullptr, !problems.empty());
    return Texts(problems);
  }
  static std::vector<std::string> Texts(const std::vector<TlsProblem>& problems) {
    constexpr const char* kFiles[] = {"certificate: ", "key: ", "authority: "};
    std::vector<std::string> texts;
    for (const TlsProblem& problem : problems) {
      texts.push_back(kFiles[static_cast<size_t>(problem.file)] + problem.text);
    }
    return texts;
  }
};

TEST_F(ContextTest, GoodFilesMakeOne) {
  EXPECT_THAT(ProblemsOfServer({certificate_, key_, {}, {}}), IsEmpty());
  EXPECT_THAT(ProblemsOfServer({certificate_, key_, ca_, {"web"}}), IsEmpty());
  std::vector<TlsProblem> problems;
  const auto client = TlsContext::ForClient({ca_, certificate_, key_}, problems);
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(client->facts()->subject, "CN=web");
  const auto bare = TlsContext::ForClient({}, problems);
  ASSERT_NE(bare, nullptr);
  EXPECT_FALSE(bare->facts());
}

TEST_F(ContextTest, AllProblemsAreToldAtOnce) {
  EXPECT_THAT(ProblemsOfServer({"/no/crt", "/no/key", "/no/ca", {}}),
              ElementsAre("certificate: '/no/crt' cannot be read: No such file or directory",
                          "key: '/no/key' cannot be read: No such file or directory",
                          "authority: '/no/ca' cannot be read: No such file or directory"));
}

TEST_F(ContextTest, AnotherCertificatesKeyIsRefused) {
  const std::string other = folder_.Write("other.key", authority_.Issue("other", "").key);
  EXPECT_THAT(ProblemsOfServer({certificate_, other, {}, {}}),
              ElementsAre("key: '" + other + "' is not the key of the certificate in '" +
                          certificate_ + "'"));
}

TEST_F(ContextTest, CertificatesOutOfDateAreRefused) {
  const Pem old = authority_.Issue("old", "DNS:web", {-7200, -3600});
  const Pem early = authority_.Issue("early", "DNS:web", {3600, 7200});
  EXPECT_THAT(
      ProblemsOfServer(
          {folder_.Write("a.crt", old.certificate), folder_.Write("a.key", old.key), {}, {}}),
      ElementsAre(MatchesRegex("certificate: the certificate in '.*' \\(CN=old\\) expired "
                               "on 20..-..-..T..:..:..Z")));
  EXPECT_THAT(
      ProblemsOfServer(
          {folder_.Write("a.crt", early.certificate), folder_.Write("a.key", early.key), {}, {}}),
      ElementsAre(MatchesRegex("certificate: the certificate in '.*' \\(CN=early\\) is not "
                               "valid before .*")));
}

TEST_F(ContextTest, AuthoritiesOfWhichNoneIsValidAreRefused) {
  const TestAuthority old("old authority", {-7200, -3600});
  const std::string all_old = folder_.Write("old", old.certificate());
  EXPECT_THAT(ProblemsOfServer({certificate_, key_, all_old, {}}),
              ElementsAre(MatchesRegex("authority: .*CN=old authority. expired on .*")));
  const std::string one_good = folder_.Write("some", old.certificate() + authority_.certificate());
  EXPECT_THAT(ProblemsOfServer({certificate_, key_, one_good, {}}), IsEmpty());
}

}  // namespace
}  // namespace lanekeeper
