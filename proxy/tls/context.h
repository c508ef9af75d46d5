// What all TLS connections of one listener, or to the upstream, share: certificate, key,
// authorities, and the rules: TLS 1.2 or later, HTTP/2 by ALPN, no resumption, no renegotiation, no
// compression. Made of files, and checked, on any thread; nobody changes it any more. New files
// make another one; connections keep theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/tls/buffer_bio.h"
#include "proxy/tls/certificate.h"

namespace lanekeeper {

struct TlsServerFiles {
  std::string certificate;  // the server's own first, then those that lead to an authority
  std::string key;
  std::optional<std::string> client_ca;   // clients must show a certificate that leads to one
  std::vector<std::string> client_names;  // and that has one of these names; empty: any
};

struct TlsClientFiles {
  std::optional<std::string> ca;           // empty: the authorities that the system trusts
  std::optional<std::string> certificate;  // empty: none is shown
  std::optional<std::string> key;
};

enum class TlsFile : uint8_t { kCertificate, kKey, kAuthority };

struct TlsProblem {
  TlsFile file;
  std::string text;
};

// What a connection expects of its peer's certificate, and what was wrong with it.
struct PeerCheck {
  std::string expected;  // DNS name or IP address; empty: any
  std::string problem;
  bool wrong_name = false;
  bool own_asked_for = false;  // the peer wants to see a certificate of ours
  uint64_t messages = 0;       // of TLS's own, that the peer has sent
};

class TlsContext {
 public:
  // Null, and at least one problem, if the files cannot be used now.
  static std::shared_ptr<const TlsContext> ForServer(const TlsServerFiles& files,
                                                     std::vector<TlsProblem>& problems);
  static std::shared_ptr<const TlsContext> ForClient(const TlsClientFiles& files,
                                                     std::vector<TlsProblem>& problems);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Of one connection. This, the ends and the check outlive it; a client's check says who is
  // expected.
  OpenSsl<SSL> NewSsl(BioEnds& ends, PeerCheck& check) const;
  bool is_server() const { return server_; }
  // Of its own certificate, if it has one.
  const std::optional<CertificateFacts>& facts() const { return facts_; }

 private:
  TlsContext(bool server, std::vector<std::string> peer_names);

  void UsePair(const std::string& certificate, const std::string& key,
               std::vector<TlsProblem>& problems);
  void TrustOnly(const std::string& file, std::vector<TlsProblem>& problems);
  static int Verify(int good, X509_STORE_CTX* store);
  static int OnAsked(SSL* ssl, void*);
  static void OnMessage(int written, int version, int type, const void* bytes, size_t size, SSL*,
                        void* check);

  const bool server_;
  const std::vector<std::string> peer_names_;
  const OpenSsl<BIO_METHOD> bio_method_;
  const OpenSsl<SSL_CTX> context_;
  std::optional<CertificateFacts> facts_;
};

}  // namespace lanekeeper
