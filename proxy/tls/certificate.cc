#include "proxy/tls/certificate.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

#include "proxy/base/file.h"
#include "proxy/tls/names.h"

namespace lanekeeper {
namespace {

// Many times a system's bundle of authorities.
constexpr size_t kLargestFile = 4 * 1024 * 1024;

// The reason begins with the file's name.
std::optional<std::string> ReadNamed(const std::string& file, std::string* why) {
  std::optional<std::string> text = ReadFile(file, kLargestFile, why);
  if (!text) *why = fmt::format("'{}' {}", file, *why);
  return text;
}

OpenSsl<BIO> Over(const std::string& text) {
  return OpenSsl<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// In place of OpenSSL's own, which asks at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

bool AtTheEnd() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int64_t Seconds(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return 0;
  return timegm(&fields);
}

std::string SubjectOf(X509& certificate) {
  const OpenSsl<BIO> text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  if (size > 0) return std::string(data, static_cast<size_t>(size));
  return NamesOf(certificate, 1);
}

}  // namespace

std::vector<OpenSsl<X509>> ReadCertificates(const std::string& file, std::string* why) {
  std::vector<OpenSsl<X509>> certificates;
  const std::optional<std::string> text = ReadNamed(file, why);
  if (!text) return certificates;
  const OpenSsl<BIO> pem = Over(*text);
  ERR_clear_error();
  while (X509* one = PEM_read_bio_X509(pem.get(), nullptr, &NoPassphrase, nullptr)) {
    certificates.emplace_back(one);
  }
  if (!AtTheEnd()) {
    *why = fmt::format("'{}' has a certificate that cannot be read: {}", file, TakeOpenSslError());
    certificates.clear();
  } else if (certificates.empty()) {
    *why = fmt::format("'{}' holds no certificate in PEM form", file);
  }
  ERR_clear_error();
  return certificates;
}

OpenSsl<EVP_PKEY> ReadPrivateKey(const std::string& file, std::string* why) {
  std::optional<std::string> text = ReadNamed(file, why);
  if (!text) return nullptr;
  const OpenSsl<BIO> pem = Over(*text);
  ERR_clear_error();
  OpenSsl<EVP_PKEY> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, &NoPassphrase, nullptr));
  if (key == nullptr) {
    *why =
        text->find("ENCRYPTED") != std::string::npos
            ? fmt::format("the key in '{}' is encrypted, expected one without a passphrase", file)
            : fmt::format("'{}' holds no private key in PEM form", file);
  }
  ERR_clear_error();
  OPENSSL_cleanse(text->data(), text->size());
  return key;
}

CertificateFacts FactsOf(X509& certificate, const std::string& file) {
  return {file, SubjectOf(certificate), Seconds(X509_get0_notBefore(&certificate)),
          Seconds(X509_get0_notAfter(&certificate))};
}

std::string ProblemWithDates(const CertificateFacts& facts, int64_t now) {
  if (now >= facts.not_after) return "expired on " + UtcText(facts.not_after);
  if (now < facts.not_before) return "is not valid before " + UtcText(facts.not_before);
  return {};
}

std::string UtcText(int64_t time) {
  const std::time_t seconds = time;
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fields);
}

}  // namespace lanekeeper
