#include "proxy/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "proxy/tls/names.h"

namespace lanekeeper {
namespace {

constexpr std::array<uint8_t, 3> kHttp2 = {2, 'h', '2'};
// Of TLS 1.2, whose other suites RFC 9113 appendix A forbids; those of 1.3 are all good.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr size_t kNamesShown = 5;

int PickHttp2(SSL*, const uint8_t** picked, uint8_t* size, const uint8_t* offered,
              unsigned offered_size, void*) {
  uint8_t* out = nullptr;
  if (SSL_select_next_proto(&out, size, kHttp2.data(), kHttp2.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *picked = out;
  return SSL_TLSEXT_ERR_OK;
}

OpenSsl<SSL_CTX> NewContext(bool server) {
  OpenSsl<SSL_CTX> context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* const it = context.get();
  SSL_CTX_set_min_proto_version(it, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(it, kCiphers);
  SSL_CTX_set_options(it, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  // The buffers of idle connections, some 34 KiB, go back.
  SSL_CTX_set_mode(it, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                           SSL_MODE_RELEASE_BUFFERS);
  // gRPC rarely connects again, and a resumed connection would outlive an authority that is gone.
  SSL_CTX_set_session_cache_mode(it, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(it, 0);
  if (server)
    SSL_CTX_set_alpn_select_cb(it, &PickHttp2, nullptr);
  else
    SSL_CTX_set_alpn_protos(it, kHttp2.data(), kHttp2.size());
  return context;
}

}  // namespace

TlsContext::TlsContext(bool server, std::vector<std::string> peer_names)
    : server_(server),
      peer_names_(std::move(peer_names)),
      bio_method_(NewBufferBioMethod()),
      context_(NewContext(server)) {
  SSL_CTX_set_app_data(context_.get(), this);
}

std::shared_ptr<const TlsContext> TlsContext::ForServer(const TlsServerFiles& files,
                                                        std::vector<TlsProblem>& problems) {
  const size_t before = problems.size();
  const std::shared_ptr<TlsContext> made(new TlsContext(true, files.client_names));
  made->UsePair(files.certificate, files.key, problems);
  if (files.client_ca) {
    made->TrustOnly(*files.client_ca, problems);
    SSL_CTX_set_verify(made->context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       &Verify);
  }
  return problems.size() == before ? made : nullptr;
}

std::shared_ptr<const TlsContext> TlsContext::ForClient(const TlsClientFiles& files,
                                                        std::vector<TlsProblem>& problems) {
  const size_t before = problems.size();
  const std::shared_ptr<TlsContext> made(new TlsContext(false, {}));
  if (files.certificate && files.key) made->UsePair(*files.certificate, *files.key, problems);
  if (files.ca)
    made->TrustOnly(*files.ca, problems);
  else
    SSL_CTX_set_default_verify_paths(made->context_.get());
  SSL_CTX_set_verify(made->context_.get(), SSL_VERIFY_PEER, &Verify);
  SSL_CTX_set_cert_cb(made->context_.get(), &OnAsked, nullptr);
  return problems.size() == before ? made : nullptr;
}

void TlsContext::UsePair(const std::string& certificate, const std::string& key,
                         std::vector<TlsProblem>& problems) {
  std::string why;
  const std::vector<OpenSsl<X509>> chain = ReadCertificates(certificate, &why);
  if (chain.empty()) {
    problems.push_back({TlsFile::kCertificate, why});
  } else {
    facts_ = FactsOf(*chain[0], certificate);
    why = ProblemWithDates(*facts_, std::time(nullptr));
    if (!why.empty()) {
      problems.push_back({TlsFile::kCertificate, fmt::format("the certificate in '{}' ({}) {}",
                                                             certificate, facts_->subject, why)});
    }
  }
  const OpenSsl<EVP_PKEY> secret = ReadPrivateKey(key, &why);
  if (secret == nullptr) problems.push_back({TlsFile::kKey, why});
  if (chain.empty() || secret == nullptr) return;
  if (X509_check_private_key(chain[0].get(), secret.get()) != 1) {
    ERR_clear_error();
    problems.push_back({TlsFile::kKey, fmt::format("'{}' is not the key of the certificate in '{}'",
                                                   key, certificate)});
    return;
  }
  bool used = SSL_CTX_use_certificate(context_.get(), chain[0].get()) == 1 &&
              SSL_CTX_use_PrivateKey(context_.get(), secret.get()) == 1;
  for (size_t i = 1; used && i < chain.size(); ++i) {
    used = SSL_CTX_add1_chain_cert(context_.get(), chain[i].get()) == 1;
  }
  if (used) return;
  problems.push_back(
      {TlsFile::kCertificate,
       fmt::format("the certificate in '{}' cannot be used: {}", certificate, TakeOpenSslError())});
}

// An authority in the middle of a chain may be named too: it need not lead to a root.
void TlsContext::TrustOnly(const std::string& file, std::vector<TlsProblem>& problems) {
  std::string why;
  const std::vector<OpenSsl<X509>> authorities = ReadCertificates(file, &why);
  if (authorities.empty()) return problems.push_back({TlsFile::kAuthority, why});
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  const std::time_t now = std::time(nullptr);
  bool usable = false;
  for (const OpenSsl<X509>& authority : authorities) {
    X509_STORE_add_cert(store, authority.get());
    if (server_) SSL_CTX_add_client_CA(context_.get(), authority.get());
    const CertificateFacts facts = FactsOf(*authority, file);
    const std::string problem = ProblemWithDates(facts, now);
    usable = usable || problem.empty();
    why = fmt::format("the certificate in '{}' ({}) {}", file, facts.subject, problem);
  }
  ERR_clear_error();
  if (!usable) problems.push_back({TlsFile::kAuthority, why});
}

OpenSsl<SSL> TlsContext::NewSsl(BioEnds& ends, PeerCheck& check) const {
  OpenSsl<SSL> ssl(SSL_new(context_.get()));
  BIO* const bio = NewBufferBio(*bio_method_, ends).release();
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), &check);
  SSL_set_msg_callback(ssl.get(), &OnMessage);
  SSL_set_msg_callback_arg(ssl.get(), &check);
  if (server_) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl.get());
  if (IsIpLiteral(check.expected)) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, check.expected.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM_set1_host(rules, check.expected.data(), check.expected.size());
    SSL_set_tlsext_host_name(ssl.get(), check.expected.c_str());
  }
  return ssl;
}

// Called when the peer asks; what is shown was chosen before.
int TlsContext::OnAsked(SSL* ssl, void*) {
  static_cast<PeerCheck*>(SSL_get_app_data(ssl))->own_asked_for = true;
  return 1;
}

void TlsContext::OnMessage(int written, int, int type, const void*, size_t, SSL*, void* check) {
  if (written == 0 && type == SSL3_RT_HANDSHAKE) ++static_cast<PeerCheck*>(check)->messages;
}

// Called for each certificate of the peer's chain, its own last. The names are looked at here so
// that a peer with a wrong one is told by an alert.
int TlsContext::Verify(int good, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto& self = *static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  auto& check = *static_cast<PeerCheck*>(SSL_get_app_data(ssl));
  X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  if (good == 1 && X509_STORE_CTX_get_error_depth(store) == 0 && !self.peer_names_.empty() &&
      !HasOneOf(*certificate, self.peer_names_)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    good = 0;
  }
  if (good == 1) return good;
  const int error = X509_STORE_CTX_get_error(store);
  check.wrong_name =
      error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
  const std::string what = self.server_ && check.wrong_name ? "no name that is welcome"
                                                            : X509_verify_cert_error_string(error);
  if (certificate == nullptr) {
    check.problem = what;
  } else if (check.wrong_name) {
    check.problem = fmt::format("{}: {}the certificate is for {}", what,
                                self.server_ ? "" : fmt::format("expected {}, ", check.expected),
                                NamesOf(*certificate, kNamesShown));
  } else {
    check.problem = fmt::format("{} ({})", what, FactsOf(*certificate, {}).subject);
  }
  return good;
}

}  // namespace lanekeeper
