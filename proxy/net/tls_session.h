// One connection's TLS, of either side, over blocks of ours: one recv(2) brings all records that
// are there, one send(2) takes away all that have been sealed. Owns the state of the cipher and the
// bytes on their way; borrows the socket for each call. On the loop's thread. Idle, it holds no
// block. After an error only Send, for the alert, and destruction are left.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/words.h"
#include "proxy/net/buffer.h"
#include "proxy/tls/context.h"

namespace lanekeeper {

// How a handshake ended.
enum class TlsOutcome : uint8_t {
  kOk,
  kNotTls,          // the peer spoke something else
  kClosed,          // the peer went away
  kTimeout,         // it took too long
  kNoCertificate,   // the peer showed none
  kBadCertificate,  // the peer's does not lead to an authority that is trusted, or is out of date
  kWrongName,       // the peer's is for somebody else
  kNoHttp2,         // ALPN did not agree on it
  kAlert,           // the peer refused, and said why
  kFailed,          // anything else, such as no common version
  kTooMany,         // cut off, the oldest of as many as are allowed, when another one came
};
inline constexpr size_t kTlsOutcomes = 11;
template <>
inline constexpr auto kLabels<TlsOutcome> =
    std::to_array<Named<TlsOutcome>>({{"ok", TlsOutcome::kOk},
                                      {"not_tls", TlsOutcome::kNotTls},
                                      {"closed", TlsOutcome::kClosed},
                                      {"timeout", TlsOutcome::kTimeout},
                                      {"no_certificate", TlsOutcome::kNoCertificate},
                                      {"bad_certificate", TlsOutcome::kBadCertificate},
                                      {"wrong_name", TlsOutcome::kWrongName},
                                      {"no_http2", TlsOutcome::kNoHttp2},
                                      {"alert", TlsOutcome::kAlert},
                                      {"failed", TlsOutcome::kFailed},
                                      {"too_many", TlsOutcome::kTooMany}});

class TlsSession {
 public:
  // `expected`, of a client: the name or IP address that the peer's certificate must have.
  TlsSession(Buffers& buffers, std::shared_ptr<const TlsContext> context,
             std::string expected = {});
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  enum class Step : uint8_t { kDone, kWaits, kFailed };
  // As far as what has come allows.
  Step Handshake(int fd);
  // Why it failed: for metrics, and for people.
  TlsOutcome outcome() const { return outcome_; }
  const std::string& error() const { return error_; }
  // Of a client: whether the server wants to see a certificate.
  bool own_asked_for() const { return check_.own_asked_for; }

  // Like recv(2): bytes, 0 at the end, or -1 and errno, EPROTO where error() says what is wrong.
  // Fewer bytes than there is room for mean that no more are there now, unless pending().
  ssize_t Receive(int fd, uint8_t* into, size_t room);
  // Whether Receive has something to say though the socket may have nothing.
  bool pending() const;

  // The most that one record holds.
  static constexpr size_t kRecordBytesMax = 16 * 1024;
  // Whether a record fits in front of the next Send.
  bool has_room() const;
  // Makes one record of at most kRecordBytesMax bytes, which leaves with the next Send. False: an
  // error.
  bool Seal(const uint8_t* data, size_t size);
  enum class Sent : uint8_t { kAll, kSome, kFailed };
  // kSome: the socket takes no more now. kFailed: errno says why.
  Sent Send(int fd);
  // Whether something waits for Send: records, or what TLS itself has to say.
  bool unsent() const { return out_ != nullptr; }
  // Tells the peer that this is the end, with the next Send.
  void SayClosed();

 private:
  struct Result {
    int value;
    int error;  // as SSL_get_error has it
  };

  template <class Function>
  Result Call(Function function);
  Step Shake(int fd);
  bool Fill(int fd);
  bool CheckFirstBytes();
  bool CheckHttp2();
  void LimitMessages();
  void FailBy(int error);
  void Fail(TlsOutcome outcome, std::string text);
  size_t out_bytes() const { return static_cast<size_t>(ends_.out - out_->data()); }
  void ReleaseInput();
  void ReleaseOutput();

  Buffers& buffers_;
  const std::shared_ptr<const TlsContext> context_;
  PeerCheck check_;
  BioEnds ends_;
  Block* in_ = nullptr;   // records that have come
  Block* out_ = nullptr;  // records that are to leave: [sent_, out_bytes())
  size_t sent_ = 0;
  uint64_t received_ = 0;  // bytes of data
  bool in_full_ = false;   // the last recv filled the block
  bool begun_ = false;     // something has come
  bool established_ = false;
  bool ended_ = false;  // the peer will send no more
  int socket_error_ = 0;
  TlsOutcome outcome_ = TlsOutcome::kOk;
  std::string error_;
  const OpenSsl<SSL> ssl_;
};

}  // namespace lanekeeper
