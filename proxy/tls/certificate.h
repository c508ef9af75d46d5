// Certificates and private keys in PEM files: read whole, described for people. What is wrong with
// a file is returned as text, never printed, never asked for at a terminal. Pure functions but for
// the files; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/tls/openssl.h"

namespace lanekeeper {

// What people and metrics are told of a certificate. Times in seconds since the Unix epoch.
struct CertificateFacts {
  std::string file;
  std::string subject;  // printable; the first name if the subject is empty
  int64_t not_before = 0;
  int64_t not_after = 0;
};

// All of the file's, in order: at least one. Empty, with the reason in *why, otherwise.
std::vector<OpenSsl<X509>> ReadCertificates(const std::string& file, std::string* why);
// The file's first private key; null, with the reason in *why, if there is none.
OpenSsl<EVP_PKEY> ReadPrivateKey(const std::string& file, std::string* why);

CertificateFacts FactsOf(X509& certificate, const std::string& file);
// "expired on 2026-11-01T00:00:00Z"; empty if it is valid now. `now` as the facts' times.
std::string ProblemWithDates(const CertificateFacts& facts, int64_t now);
// "2026-11-01T00:00:00Z".
std::string UtcText(int64_t time);

}  // namespace lanekeeper
