// Authorities and certificates made for one test, and a folder for their files. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "proxy/tls/openssl.h"

namespace lanekeeper::testing {

// Removed with all that is in it when destroyed.
class TestFolder {
 public:
  TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder();

  // The file's path. In place of an older one by rename, as those do who replace certificates.
  std::string Write(const std::string& name, const std::string& text) const;
  std::string At(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Pem {
  std::string certificate;
  std::string key;
};

// Seconds from now.
struct Validity {
  int64_t from = -3600;
  int64_t to = 86400;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "authority", Validity validity = {});

  std::string certificate() const;
  // `names` as OpenSSL writes them: "DNS:web.shop,URI:spiffe://shop/web,IP:10.0.0.1"; may be empty.
  Pem Issue(const std::string& subject, const std::string& names, Validity validity = {}) const;

 private:
  OpenSsl<EVP_PKEY> key_;
  OpenSsl<X509> certificate_;
};

// What a fixture has that needs a pair: its files STEM.crt and STEM.key, and its authority's,
// ca.crt.
class PairFiles {
 protected:
  PairFiles(const std::string& subject, const std::string& stem);

  const TestFolder folder_;
  const TestAuthority authority_;
  std::string certificate_;
  std::string key_;
  std::string ca_;
};

}  // namespace lanekeeper::testing
