// Certificates for two ends of TLS, and the contexts made of them. One thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/tls/context.h"
#include "tests/support/certificates.h"

namespace lanekeeper::testing {

class TlsFixture {
 public:
  TlsServerFiles ServerFiles(const std::string& names = "DNS:server.test,IP:127.0.0.1",
                             Validity validity = {}) const {
    const Pem pem = authority_.Issue("server", names, validity);
    return {
        folder_.Write("server.crt", pem.certificate), folder_.Write("server.key", pem.key), {}, {}};
  }
  TlsClientFiles ClientFiles() const { return {ca(), {}, {}}; }
  // That shows a certificate, of this authority unless told.
  TlsClientFiles ClientFiles(const std::string& names, const TestAuthority* of = nullptr) const {
    const Pem pem = (of != nullptr ? *of : authority_).Issue("client", names);
    return {ca(), folder_.Write("client.crt", pem.certificate),
            folder_.Write("client.key", pem.key)};
  }
  std::string ca() const { return folder_.Write("ca.crt", authority_.certificate()); }
  const TestFolder& folder() const { return folder_; }
  const TestAuthority& authority() const { return authority_; }

  static std::shared_ptr<const TlsContext> Server(const TlsServerFiles& files) {
    std::vector<TlsProblem> problems;
    auto context = TlsContext::ForServer(files, problems);
    EXPECT_NE(context, nullptr) << problems.at(0).text;
    return context;
  }
  static std::shared_ptr<const TlsContext> Client(const TlsClientFiles& files) {
    std::vector<TlsProblem> problems;
    auto context = TlsContext::ForClient(files, problems);
    EXPECT_NE(context, nullptr) << problems.at(0).text;
    return context;
  }

 private:
  const TestFolder folder_;
  const TestAuthority authority_;
};

}  // namespace lanekeeper::testing
