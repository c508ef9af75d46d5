#include "proxy/net/tls_session.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace lanekeeper {
namespace {

// Of a record's header and of its end, under any cipher; and what is left for TLS's own messages.
// A peer that makes us send more of those without reading is cut off.
constexpr size_t kRecordRoom = TlsSession::kRecordBytesMax + 1024;

// Of TLS's own messages, the handshake's included; one more for each MiB of data. Each costs as
// much as a few KiB, and OpenSSL takes any number: a new key (RFC 8446 section 4.6.3) is good for
// GiB.
constexpr uint64_t kMessagesMax = 1000;
constexpr uint64_t kBytesPerMessage = 1 << 20;

constexpr uint8_t kAlertRecord = 0x15;
constexpr uint8_t kHandshakeRecord = 0x16;

// Of somebody whose first bytes are no TLS.
std::string WhatIsSpoken(std::string_view bytes, bool by_client) {
  constexpr uint8_t kSettings = 4;
  const std::string_view word = bytes.substr(0, bytes.find(' '));
  const bool method =
      !word.empty() && word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == word.npos;
  if (bytes.starts_with("PRI ")) return "the peer speaks plain HTTP/2, this port takes TLS";
  if (by_client && method) return "the peer speaks plain HTTP/1, this port takes TLS";
  if (by_client) return "the peer's first bytes are not TLS";
  if (bytes.starts_with("HTTP/")) return "the upstream speaks plain HTTP/1, not TLS";
  if (bytes.size() > 3 && bytes[3] == kSettings) return "the upstream speaks plain HTTP/2, not TLS";
  return "the upstream does not speak TLS";
}

// "tlsv1 alert unknown ca" is "unknown ca".
std::string AlertOf(const std::string& reason) {
  constexpr std::string_view kAlert = " alert ";
  const size_t at = reason.find(kAlert);
  return at == std::string::npos ? reason : reason.substr(at + kAlert.size());
}

}  // namespace

TlsSession::TlsSession(Buffers& buffers, std::shared_ptr<const TlsContext> context,
                       std::string expected)
    : buffers_(buffers),
      context_(std::move(context)),
      check_{.expected = std::move(expected)},
      ssl_(context_->NewSsl(ends_, check_)) {}

TlsSession::~TlsSession() {
  if (in_ != nullptr) buffers_.Release(in_);
  if (out_ != nullptr) buffers_.Release(out_);
}

void TlsSession::ReleaseInput() {
  if (in_ == nullptr || ends_.in_size > 0) return;
  buffers_.Release(std::exchange(in_, nullptr));
}

void TlsSession::ReleaseOutput() {
  buffers_.Release(std::exchange(out_, nullptr));
  ends_.out = nullptr;
  ends_.out_room = 0;
  sent_ = 0;
}

// Whatever OpenSSL is asked for, it may have something to write.
template <class Function>
TlsSession::Result TlsSession::Call(Function function) {
  if (out_ == nullptr) {
    out_ = buffers_.NewReadBlock();
    ends_.out = out_->data();
    ends_.out_room = out_->capacity;
  }
  ERR_clear_error();  // what others have left would be taken for ours
  const int value = function(ssl_.get());
  const Result result{value, SSL_get_error(ssl_.get(), value)};
  if (out_bytes() == 0) ReleaseOutput();
  return result;
}

// Asks the socket, once. False: nothing has come.
bool TlsSession::Fill(int fd) {
  if (in_ == nullptr) in_ = buffers_.NewReadBlock();
  const ssize_t size = recv(fd, in_->data(), in_->capacity, 0);
  if (size <= 0) {
    const int error = errno;
    ReleaseInput();
    if (size == 0)
      ended_ = true;
    else if (error != EAGAIN && error != EINTR)
      socket_error_ = error;
    return false;
  }
  ends_.in = in_->data();
  ends_.in_size = static_cast<size_t>(size);
  in_full_ = ends_.in_size == in_->capacity;
  return true;
}

TlsSession::Step TlsSession::Handshake(int fd) {
  const Step step = Shake(fd);
  ReleaseInput();
  return step;
}

TlsSession::Step TlsSession::Shake(int fd) {
  for (;;) {
    const Result result = Call(&SSL_do_handshake);
    if (result.value != 1 && result.error != SSL_ERROR_WANT_READ) FailBy(result.error);
    const Sent sent = unsent() ? Send(fd) : Sent::kAll;
    if (sent == Sent::kFailed) Fail(TlsOutcome::kClosed, std::strerror(errno));
    if (!error_.empty()) return Step::kFailed;
    if (result.value == 1) return CheckHttp2() ? Step::kDone : Step::kFailed;
    if (Fill(fd)) {
      if (!CheckFirstBytes()) return Step::kFailed;
      continue;
    }
    if (ended_) Fail(TlsOutcome::kClosed, "the peer closed the connection in the TLS handshake");
    if (socket_error_ != 0) Fail(TlsOutcome::kClosed, std::strerror(socket_error_));
    return error_.empty() ? Step::kWaits : Step::kFailed;
  }
}

bool TlsSession::CheckFirstBytes() {
  if (std::exchange(begun_, true)) return true;
  if (ends_.in[0] == kHandshakeRecord) return true;
  if (ends_.in[0] == kAlertRecord && !context_->is_server()) return true;
  const std::string_view bytes(reinterpret_cast<const char*>(ends_.in), ends_.in_size);
  Fail(TlsOutcome::kNotTls, WhatIsSpoken(bytes, context_->is_server()));
  return false;
}

// Neither side may have asked for it, and then nobody was asked.
bool TlsSession::CheckHttp2() {
  const uint8_t* agreed = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &agreed, &size);
  established_ = size == 2 && std::memcmp(agreed, "h2", 2) == 0;
  if (!established_) Fail(TlsOutcome::kNoHttp2, "the peer does not offer HTTP/2 (ALPN h2)");
  return established_;
}

void TlsSession::FailBy(int error) {
  const unsigned long first = ERR_peek_error();
  const int reason = ERR_GET_LIB(first) == ERR_LIB_SSL ? ERR_GET_REASON(first) : 0;
  if (error == SSL_ERROR_WANT_WRITE) {
    Fail(TlsOutcome::kFailed, "the peer does not read what TLS has to say");
  } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    Fail(check_.wrong_name ? TlsOutcome::kWrongName : TlsOutcome::kBadCertificate,
         "certificate verify failed: " + check_.problem);
  } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    Fail(TlsOutcome::kNoCertificate, "the peer showed no certificate");
  } else if (reason == SSL_R_NO_APPLICATION_PROTOCOL) {
    Fail(TlsOutcome::kNoHttp2, "the peer does not offer HTTP/2 (ALPN h2)");
  } else if (reason >= SSL_AD_REASON_OFFSET) {
    Fail(TlsOutcome::kAlert, "the peer refused: " + AlertOf(TakeOpenSslError()));
  } else {
    Fail(TlsOutcome::kFailed, TakeOpenSslError());
  }
}

void TlsSession::Fail(TlsOutcome outcome, std::string text) {
  if (!error_.empty()) return;  // the first counts
  outcome_ = outcome;
  error_ = std::move(text);
}

ssize_t TlsSession::Receive(int fd, uint8_t* into, size_t room) {
  size_t got = 0;
  bool ask = true;  // the socket may have more
  while (got < room && error_.empty()) {
    const Result read =
        Call([&](SSL* ssl) { return SSL_read(ssl, into + got, static_cast<int>(room - got)); });
    LimitMessages();
    if (read.value > 0) {
      got += static_cast<size_t>(read.value);
      received_ += static_cast<uint64_t>(read.value);
    } else if (read.error == SSL_ERROR_WANT_READ) {
      if (!ask || ended_ || !Fill(fd)) break;
      ask = in_full_;
    } else if (read.error == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
      break;
    } else {
      FailBy(read.error);
    }
  }
  ReleaseInput();
  if (got > 0) return static_cast<ssize_t>(got);
  if (error_.empty() && socket_error_ == 0 && ended_) return 0;
  errno = !error_.empty() ? EPROTO : socket_error_ != 0 ? socket_error_ : EAGAIN;
  return -1;
}

void TlsSession::LimitMessages() {
  if (check_.messages <= kMessagesMax + received_ / kBytesPerMessage) return;
  Fail(TlsOutcome::kFailed, "the peer floods us with TLS's own messages");
}

bool TlsSession::pending() const {
  return ends_.in_size > 0 || ended_ || socket_error_ != 0 || !error_.empty() ||
         SSL_pending(ssl_.get()) > 0;
}

bool TlsSession::has_room() const { return out_ == nullptr || ends_.out_room >= kRecordRoom; }

bool TlsSession::Seal(const uint8_t* data, size_t size) {
  const Result result =
      Call([&](SSL* ssl) { return SSL_write(ssl, data, static_cast<int>(size)); });
  if (result.value == static_cast<int>(size)) return true;
  FailBy(result.error);
  errno = EPROTO;
  return false;
}

TlsSession::Sent TlsSession::Send(int fd) {
  while (unsent()) {
    const ssize_t size = send(fd, out_->data() + sent_, out_bytes() - sent_, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN ? Sent::kSome : Sent::kFailed;
    sent_ += static_cast<size_t>(size);
    if (sent_ == out_bytes()) ReleaseOutput();
  }
  return Sent::kAll;
}

void TlsSession::SayClosed() {
  if (established_ && error_.empty()) Call(&SSL_shutdown);
}

}  // namespace lanekeeper
