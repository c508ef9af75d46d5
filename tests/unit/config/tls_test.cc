// What a configuration says of TLS, and the files that it names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config_equality.h"
#include "config_testing.h"
#include "tests/support/certificates.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::Pem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class TlsConfigTest : public ::testing::Test, protected lanekeeper::testing::PairFiles {
 protected:
  TlsConfigTest() : PairFiles("orders", "tls") {}
  std::string pair() const { return "certificate: '" + certificate_ + "', key: '" + key_ + "'"; }

  static std::string Listen(const std::string& more) {
    return "listen:\n"
           "  - address: 127.0.0.1:1\n"
           "    " +
           more + "\nupstream: {address: 'orders:1'}\n";
  }
  static std::string Upstream(const std::string& tls, const std::string& address = "orders:1") {
    return "listen: [{address: '127.0.0.1:1'}]\n"
           "upstream:\n"
           "  address: " +
           address + "\n  tls: {" + tls + "}\n";
  }
};

TEST_F(TlsConfigTest, EveryKeyLoadsAndLoadsBack) {
  const ConfigResult result = Load(
      "listen:\n"
      "  - address: 127.0.0.1:1\n"
      "    tls: {" +
      pair() + ", client_ca: '" + ca_ + "', client_names: [web.shop, 'spiffe://shop/web']}\n" +
      "  - {address: 'unix:///run/x.sock', mode: 0660}\n"
      "upstream: {address: 'orders:1', tls: {ca: '" +
      ca_ + "', " + pair() + ", server_name: orders.shop}}\n");
  ASSERT_THAT(Printed(result), IsEmpty());
  const Config& config = *result.config;
  EXPECT_EQ(config.listen[0].tls.certificate, certificate_);
  EXPECT_EQ(config.listen[0].tls.key, key_);
  EXPECT_EQ(config.listen[0].tls.client_ca, ca_);
  EXPECT_THAT(config.listen[0].tls.client_names, ElementsAre("web.shop", "spiffe://shop/web"));
  EXPECT_EQ(config.listen[1].mode, 0660);
  EXPECT_EQ(config.upstream.tls.ca, ca_);
  EXPECT_EQ(config.upstream.tls.certificate, certificate_);
  EXPECT_EQ(config.upstream.tls.server_name, "orders.shop");
  const ConfigResult again = Load(PrintConfig(config));
  ASSERT_TRUE(again.config) << PrintConfig(config);
  EXPECT_TRUE(SameConfig(config, *again.config)) << PrintConfig(*again.config);
}

TEST_F(TlsConfigTest, TheAuthoritiesOfTheSystemCanBeMeant) {
  const ConfigResult result = Load(Upstream("ca: system"));
  ASSERT_THAT(Printed(result), IsEmpty());
  EXPECT_EQ(result.config->upstream.tls.ca, "system");
}

TEST_F(TlsConfigTest, AMapThatSaysNothingIsNotPlaintext) {
  EXPECT_THAT(ProblemsOf(Listen("tls: {}")),
              ElementsAre("test.yaml:3:10: listen[0].tls.certificate: this required key is missing",
                          "test.yaml:3:10: listen[0].tls.key: this required key is missing"));
  EXPECT_THAT(ProblemsOf(Upstream("")),
              ElementsAre("test.yaml:4:8: upstream.tls.ca: this required key is missing"));
}

TEST_F(TlsConfigTest, FilesThatAreNotThereAreToldWhereTheyAreNamed) {
  EXPECT_THAT(
      ProblemsOf(Listen("tls: {certificate: /no/crt, key: /no/key, client_ca: /no/ca}")),
      ElementsAre("test.yaml:3:24: listen[0].tls.certificate: '/no/crt' cannot be read: No "
                  "such file or directory",
                  "test.yaml:3:38: listen[0].tls.key: '/no/key' cannot be read: No such file "
                  "or directory",
                  "test.yaml:3:58: listen[0].tls.client_ca: '/no/ca' cannot be read: No such "
                  "file or directory"));
  EXPECT_THAT(
      ProblemsOf(Upstream("ca: /no/ca")),
      ElementsAre("test.yaml:4:13: upstream.tls.ca: '/no/ca' cannot be read: No such file or "
                  "directory"));
}

TEST_F(TlsConfigTest, APairThatDoesNotMatchOrIsOutOfDateIsRefused) {
  const Pem old = authority_.Issue("old", "", {-7200, -3600});
  const std::string crt = folder_.Write("old.crt", old.certificate);
  EXPECT_THAT(ProblemsOf(Listen("tls: {certificate: '" + crt + "', key: '" + key_ + "'}")),
              ElementsAre(MatchesRegex("test.yaml:3:24: listen.0..tls.certificate: the certificate "
                                       "in '.*old.crt' .CN=old. expired on .*Z"),
                          MatchesRegex("test.yaml:3:[0-9]*: listen.0..tls.key: '.*tls.key' is not "
                                       "the key of the certificate in '.*old.crt'")));
}

TEST_F(TlsConfigTest, HalfOfAPairIsRefused) {
  EXPECT_THAT(
      ProblemsOf(Listen("tls: {certificate: off, key: '" + key_ + "'}")),
      ElementsAre("test.yaml:3:34: listen[0].tls.key: listen[0].tls.certificate is missing"));
  EXPECT_THAT(ProblemsOf(Upstream("ca: system, certificate: '" + certificate_ + "'")),
              ElementsAre("test.yaml:4:34: upstream.tls.certificate: upstream.tls.key is missing"));
}

TEST_F(TlsConfigTest, NamesWithoutAnAuthorityAreRefused) {
  EXPECT_THAT(ProblemsOf(Listen("tls:\n      client_names: [web]\n      certificate: '" +
                                certificate_ + "'\n      key: '" + key_ + "'")),
              ElementsAre("test.yaml:4:21: listen[0].tls.client_names: without client_ca no client "
                          "shows a certificate that could have a name"));
}

TEST_F(TlsConfigTest, AnAuthorityForClientsWithoutACertificateIsRefused) {
  EXPECT_THAT(ProblemsOf(Listen("tls: {certificate: off, key: off, client_ca: '" + ca_ + "'}")),
              ElementsAre("test.yaml:3:50: listen[0].tls.client_ca: clients show certificates only "
                          "to a server that has one: certificate and key are missing"));
}

TEST_F(TlsConfigTest, NamesAreAListOfNames) {
  EXPECT_THAT(ProblemsOf(Listen("tls: {client_names: [], certificate: off, key: off}")),
              ElementsAre("test.yaml:3:25: listen[0].tls.client_names: expected at least one "
                          "entry, found an empty list; or write any"));
  EXPECT_THAT(ProblemsOf(Listen("tls: {client_names: web, certificate: off, key: off}")),
              ElementsAre("test.yaml:3:25: listen[0].tls.client_names: expected a list, found "
                          "'web'; or write any"));
  EXPECT_THAT(ProblemsOf(Listen("tls: {client_names: [a, 'b c', {}], certificate: off, key: off}")),
              ElementsAre("test.yaml:3:36: listen[0].tls.client_names[2]: expected a single value, "
                          "found a map"));
  EXPECT_THAT(ProblemsOf(Listen("tls: {client_names: [a, 'b c'], certificate: off, key: off}")),
              ElementsAre("test.yaml:3:29: listen[0].tls.client_names[1]: expected a DNS name, a "
                          "URI or an IP address, found 'b c'"));
}

TEST_F(TlsConfigTest, WhatIsSaidOfAPlainUpstreamIsRefused) {
  const std::string plain =
      "upstream.tls.ca is off, which is plaintext: expected a file there, or system";
  EXPECT_THAT(ProblemsOf(Upstream("ca: off, server_name: x")),
              ElementsAre("test.yaml:4:31: upstream.tls.server_name: " + plain));
  EXPECT_THAT(ProblemsOf(Upstream("ca: off, " + pair())),
              ElementsAre("test.yaml:4:31: upstream.tls.certificate: " + plain));
}

TEST_F(TlsConfigTest, AUnixSocketNeedsAName) {
  EXPECT_THAT(ProblemsOf(Upstream("ca: system", "unix:///run/x.sock")),
              ElementsAre("test.yaml:4:13: upstream.tls.ca: a unix socket has no name that a "
                          "certificate could be checked for: upstream.tls.server_name is missing"));
  EXPECT_THAT(ProblemsOf(Upstream("ca: system, server_name: orders", "unix:///run/x.sock")),
              IsEmpty());
}

TEST_F(TlsConfigTest, OnlyUnixSocketsHaveAMode) {
  EXPECT_THAT(ProblemsOf(Listen("mode: 0660")),
              ElementsAre("test.yaml:3:11: listen[0].mode: only the file of a unix socket has a "
                          "mode, and '127.0.0.1:1' is none"));
  for (const char* mode : {"660", "0660", "auto"}) {
    EXPECT_THAT(ProblemsOf("listen: [{address: 'unix:///a', mode: " + std::string(mode) +
                           "}]\nupstream: {address: 'orders:1'}\n"),
                IsEmpty());
  }
  for (const char* mode : {"0880", "1660", "u+rw", "66", "''"}) {
    EXPECT_THAT(ProblemsOf("listen: [{address: 'unix:///a', mode: " + std::string(mode) +
                           "}]\nupstream: {address: 'orders:1'}\n"),
                ElementsAre(MatchesRegex("test.yaml:1:39: listen.0..mode: expected a mode such as "
                                         "0660, found .*; or write auto")))
        << mode;
  }
}

}  // namespace
}  // namespace lanekeeper
