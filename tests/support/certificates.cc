#include "tests/support/certificates.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <fstream>

namespace lanekeeper::testing {
namespace {

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string PemOf(X509* certificate) {
  const OpenSsl<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return Text(bio.get());
}

std::string PemOf(EVP_PKEY* key) {
  const OpenSsl<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Text(bio.get());
}

OpenSsl<EVP_PKEY> NewKey() { return OpenSsl<EVP_PKEY>(EVP_EC_gen("P-256")); }

void Add(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

OpenSsl<X509> NewCertificate(const std::string& subject, EVP_PKEY* key, Validity validity) {
  static int64_t serial = 0;
  OpenSsl<X509> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validity.from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity.to);
  if (!subject.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  }
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "certificates.XXXXXX").string();
  path_ = mkdtemp(name.data());
}

TestFolder::~TestFolder() { std::filesystem::remove_all(path_); }

std::string TestFolder::Write(const std::string& name, const std::string& text) const {
  std::ofstream(path_ / (name + ".new")) << text;
  std::filesystem::rename(path_ / (name + ".new"), path_ / name);
  return At(name);
}

TestAuthority::TestAuthority(const std::string& name, Validity validity)
    : key_(NewKey()), certificate_(NewCertificate(name, key_.get(), validity)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  Add(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  Add(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign");
  Add(certificate_.get(), certificate_.get(), NID_subject_key_identifier, "hash");
  X509_sign(certificate_.get(), key_.get(), EVP_sha256());
}

std::string TestAuthority::certificate() const { return PemOf(certificate_.get()); }

Pem TestAuthority::Issue(const std::string& subject, const std::string& names,
                         Validity validity) const {
  const OpenSsl<EVP_PKEY> key = NewKey();
  const OpenSsl<X509> leaf = NewCertificate(subject, key.get(), validity);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(certificate_.get()));
  if (!names.empty()) Add(leaf.get(), certificate_.get(), NID_subject_alt_name, names);
  Add(leaf.get(), certificate_.get(), NID_authority_key_identifier, "keyid");
  X509_sign(leaf.get(), key_.get(), EVP_sha256());
  return {PemOf(leaf.get()), PemOf(key.get())};
}

PairFiles::PairFiles(const std::string& subject, const std::string& stem)
    : ca_(folder_.Write("ca.crt", authority_.certificate())) {
  const Pem pem = authority_.Issue(subject, "DNS:" + subject);
  certificate_ = folder_.Write(stem + ".crt", pem.certificate);
  key_ = folder_.Write(stem + ".key", pem.key);
}

}  // namespace lanekeeper::testing
