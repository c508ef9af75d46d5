// Owners of OpenSSL's objects, and its errors as text. Any thread; an object is used by one at a
// time, but for contexts and certificates that nobody changes any more.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace lanekeeper {

struct OpenSslDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

template <class T>
using OpenSsl = std::unique_ptr<T, OpenSslDelete>;

// The reason of this thread's oldest error, "unsupported protocol"; the others are dropped.
std::string TakeOpenSslError();

}  // namespace lanekeeper
