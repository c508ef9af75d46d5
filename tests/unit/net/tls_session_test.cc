// Two ends of TLS against each other, over a wire that passes as many bytes at once as a test says.
#include "proxy/net/tls_session.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "proxy/base/fd.h"
#include "tests/support/tls_files.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::TlsFixture;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Step = TlsSession::Step;

std::array<Fd, 2> NewPair() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// One end: a session, and its side of the wire.
struct End {
  End(Buffers& buffers, std::shared_ptr<const TlsContext> context, std::string expected = {})
      : session(buffers, std::move(context), std::move(expected)) {}

  Step Shake() {
    if (step == Step::kWaits) step = session.Handshake(fd());
    return step;
  }
  int fd() const { return pair[0].get(); }
  int wire() const { return pair[1].get(); }

  TlsSession session;
  std::array<Fd, 2> pair = NewPair();
  Step step = Step::kWaits;
};

class TlsSessionTest : public ::testing::Test {
 protected:
  void Make(const TlsServerFiles& server, const TlsClientFiles& client,
            const std::string& expected = "server.test") {
    server_.emplace(buffers_, TlsFixture::Server(server));
    client_.emplace(buffers_, TlsFixture::Client(client), expected);
  }
  void MakePlainest() { Make(tls_.ServerFiles(), tls_.ClientFiles()); }

  // At most so many bytes in each direction. Whether any passed.
  bool Pass(size_t most) {
    return PassFrom(*client_, *server_, most) | PassFrom(*server_, *client_, most);
  }
  static bool PassFrom(const End& from, const End& to, size_t most) {
    std::string bytes(std::min<size_t>(most, 65536), '\0');
    const ssize_t size = recv(from.wire(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return false;
    EXPECT_EQ(send(to.wire(), bytes.data(), static_cast<size_t>(size), MSG_NOSIGNAL), size);
    return true;
  }

  void Shake(size_t most = 65536) {
    for (;;) {
      const bool waits = (client_->Shake() == Step::kWaits) | (server_->Shake() == Step::kWaits);
      if (!Pass(most) && waits) break;
      if (!waits) break;
    }
  }
  // One that has to succeed.
  void ShakeWell(size_t most = 65536) {
    Shake(most);
    ASSERT_EQ(client_->step, Step::kDone) << client_->session.error();
    ASSERT_EQ(server_->step, Step::kDone) << server_->session.error();
  }

  // What the other end receives of it, over the wire in pieces.
  std::string Carry(End& from, End& to, const std::string& sent, size_t record, size_t piece,
                    size_t room) {
    std::string received;
    size_t at = 0;
    std::string space(room, '\0');
    for (;;) {
      while (at < sent.size() && from.session.has_room()) {
        const size_t size = std::min(record, sent.size() - at);
        EXPECT_TRUE(from.session.Seal(reinterpret_cast<const uint8_t*>(sent.data()) + at, size));
        at += size;
      }
      EXPECT_NE(from.session.Send(from.fd()), TlsSession::Sent::kFailed);
      bool moved = PassFrom(from, to, piece);
      for (ssize_t size; (size = to.session.Receive(
                              to.fd(), reinterpret_cast<uint8_t*>(space.data()), room)) > 0;) {
        received.append(space.data(), static_cast<size_t>(size));
        moved = true;
      }
      if (!moved && at == sent.size() && !from.session.unsent()) return received;
    }
  }

  static ssize_t ReceiveInto(End& end, std::string& bytes) {
    bytes.assign(1000, '\0');
    const ssize_t size =
        end.session.Receive(end.fd(), reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return size;
  }

  Pool pool_;
  Buffers buffers_{pool_};
  const TlsFixture tls_;
  std::optional<End> server_;
  std::optional<End> client_;
};

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 251);
  return text;
}

TEST_F(TlsSessionTest, HandshakesInPiecesOfEverySizeSucceed) {
  for (const size_t piece : {1, 2, 3, 5, 7, 100, 1000, 65536}) {
    MakePlainest();
    ShakeWell(piece);
    EXPECT_EQ(client_->session.outcome(), TlsOutcome::kOk);
  }
}

TEST_F(TlsSessionTest, BytesArriveWholeWhateverThePieces) {
  MakePlainest();
  ShakeWell();
  const std::string text = Pattern(200'000);
  for (const size_t record : {size_t{1000}, size_t{16384}}) {
    for (const size_t piece : {777, 16384, 65536}) {
      for (const size_t room : {9, 1000, 65536}) {
        EXPECT_TRUE(Carry(*client_, *server_, text, record, piece, room) == text)
            << record << ", " << piece << ", " << room;
        EXPECT_TRUE(Carry(*server_, *client_, text, record, piece, room) == text);
      }
    }
  }
  const std::string few = Pattern(300);
  for (const size_t piece : {1, 2, 3, 4, 5, 6, 21, 22, 23}) {
    EXPECT_EQ(Carry(*client_, *server_, few, 7, piece, 50), few);
    EXPECT_EQ(Carry(*server_, *client_, few, 100, piece, 1), few);
  }
}

TEST_F(TlsSessionTest, IdleItHoldsNoBlock) {
  MakePlainest();
  ShakeWell();
  EXPECT_EQ(buffers_.bytes_held(), 0);
  Carry(*client_, *server_, Pattern(100'000), 16384, 65536, 65536);
  EXPECT_EQ(buffers_.bytes_held(), 0);
}

TEST_F(TlsSessionTest, WhatHasNotLeftIsBounded) {
  MakePlainest();
  ShakeWell();
  const std::string text = Pattern(TlsSession::kRecordBytesMax);
  size_t sealed = 0;
  // Nobody takes it off the wire.
  for (; sealed < 1000; ++sealed) {
    if (!client_->session.has_room() &&
        client_->session.Send(client_->fd()) == TlsSession::Sent::kSome &&
        !client_->session.has_room()) {
      break;
    }
    ASSERT_TRUE(client_->session.Seal(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
  EXPECT_LT(sealed, 1000u);
  EXPECT_TRUE(client_->session.unsent());
  EXPECT_EQ(buffers_.bytes_held(), Buffers::kReadBytes);
}

TEST_F(TlsSessionTest, WhatComesWithTheEndOfTheHandshakeIsPending) {
  MakePlainest();
  while (client_->Shake() == Step::kWaits) {
    Pass(65536);
    server_->Shake();
    Pass(65536);
  }
  // The client's last message and its first bytes arrive as one.
  const std::string text = "first";
  ASSERT_TRUE(client_->session.Seal(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  client_->session.Send(client_->fd());
  while (PassFrom(*client_, *server_, 65536)) {
  }
  ASSERT_EQ(server_->Shake(), Step::kDone);
  EXPECT_TRUE(server_->session.pending());
  std::string bytes;
  ReceiveInto(*server_, bytes);
  EXPECT_EQ(bytes, text);
  EXPECT_FALSE(server_->session.pending());
}

TEST_F(TlsSessionTest, TheEndIsTold) {
  MakePlainest();
  ShakeWell();
  client_->session.SayClosed();
  client_->session.Send(client_->fd());
  Pass(65536);
  std::string bytes;
  EXPECT_EQ(ReceiveInto(*server_, bytes), 0);
  EXPECT_EQ(ReceiveInto(*server_, bytes), 0);
}

TEST_F(TlsSessionTest, BytesInFrontOfTheEndAreReceived) {
  MakePlainest();
  ShakeWell();
  ASSERT_TRUE(client_->session.Seal(reinterpret_cast<const uint8_t*>("last"), 4));
  client_->session.SayClosed();
  client_->session.Send(client_->fd());
  Pass(65536);
  std::string bytes;
  EXPECT_EQ(ReceiveInto(*server_, bytes), 4);
  EXPECT_TRUE(server_->session.pending());
  EXPECT_EQ(ReceiveInto(*server_, bytes), 0);
}

TEST_F(TlsSessionTest, ACutWireIsTheEndToo) {
  MakePlainest();
  ShakeWell();
  server_->pair[1].Close();
  std::string bytes;
  EXPECT_EQ(ReceiveInto(*server_, bytes), 0);
}

TEST_F(TlsSessionTest, AnEndInTheMiddleOfTheHandshakeIsTold) {
  for (const size_t piece : {1, 50, 300, 700}) {
    MakePlainest();
    client_->Shake();
    PassFrom(*client_, *server_, piece);
    server_->Shake();
    server_->pair[1].Close();
    EXPECT_EQ(server_->Shake(), Step::kFailed) << piece;
    EXPECT_EQ(server_->session.outcome(), TlsOutcome::kClosed);
  }
}

TEST_F(TlsSessionTest, GarbageInTheMiddleIsAnError) {
  MakePlainest();
  ShakeWell();
  const std::string garbage(100, 'x');
  ASSERT_EQ(send(server_->wire(), garbage.data(), garbage.size(), 0), 100);
  std::string bytes;
  EXPECT_EQ(ReceiveInto(*server_, bytes), -1);
  EXPECT_EQ(errno, EPROTO);
  EXPECT_NE(server_->session.error(), "");
}

TEST_F(TlsSessionTest, ARecordThatWasTouchedIsAnErrorButNotThoseBefore) {
  MakePlainest();
  ShakeWell();
  ASSERT_TRUE(client_->session.Seal(reinterpret_cast<const uint8_t*>("good"), 4));
  ASSERT_TRUE(client_->session.Seal(reinterpret_cast<const uint8_t*>("evil"), 4));
  client_->session.Send(client_->fd());
  std::array<char, 200> wire{};
  const ssize_t size = recv(client_->wire(), wire.data(), wire.size(), 0);
  ASSERT_GT(size, 0);
  wire[static_cast<size_t>(size) - 1] ^= 1;
  ASSERT_EQ(send(server_->wire(), wire.data(), static_cast<size_t>(size), 0), size);
  std::string bytes;
  ASSERT_EQ(ReceiveInto(*server_, bytes), 4);
  EXPECT_EQ(bytes, "good");
  EXPECT_TRUE(server_->session.pending());
  EXPECT_EQ(ReceiveInto(*server_, bytes), -1);
  EXPECT_THAT(server_->session.error(), HasSubstr("bad record mac"));
  // The peer is told.
  EXPECT_TRUE(server_->session.unsent());
}

struct Spoken {
  const char* bytes;
  const char* to_server;
  const char* to_client;
};

class NotTlsTest : public TlsSessionTest, public ::testing::WithParamInterface<Spoken> {};

TEST_P(NotTlsTest, IsToldByItsName) {
  const Spoken& spoken = GetParam();
  for (const bool to_server : {true, false}) {
    MakePlainest();
    End& end = to_server ? *server_ : *client_;
    end.Shake();
    const std::string bytes(spoken.bytes, spoken.bytes[0] == '\0' ? 9 : strlen(spoken.bytes));
    ASSERT_GT(send(end.wire(), bytes.data(), bytes.size(), 0), 0);
    EXPECT_EQ(end.Shake(), Step::kFailed);
    EXPECT_EQ(end.session.outcome(), TlsOutcome::kNotTls);
    EXPECT_EQ(end.session.error(), to_server ? spoken.to_server : spoken.to_client);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Spoken, NotTlsTest,
    ::testing::Values(Spoken{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                             "the peer speaks plain HTTP/2, this port takes TLS",
                             "the peer speaks plain HTTP/2, this port takes TLS"},
                      Spoken{"GET / HTTP/1.1\r\n\r\n",
                             "the peer speaks plain HTTP/1, this port takes TLS",
                             "the upstream does not speak TLS"},
                      Spoken{"HTTP/1.1 400 Bad Request\r\n", "the peer's first bytes are not TLS",
                             "the upstream speaks plain HTTP/1, not TLS"},
                      Spoken{"\0\0\0\4\0\0\0\0\0", "the peer's first bytes are not TLS",
                             "the upstream speaks plain HTTP/2, not TLS"},
                      Spoken{"\x80\x2e\x01", "the peer's first bytes are not TLS",
                             "the upstream does not speak TLS"}));

TEST_F(TlsSessionTest, AServerOfAnotherNameIsRefused) {
  Make(tls_.ServerFiles("DNS:other.test,IP:127.0.0.1"), tls_.ClientFiles());
  Shake();
  EXPECT_EQ(client_->session.outcome(), TlsOutcome::kWrongName);
  EXPECT_EQ(client_->session.error(),
            "certificate verify failed: hostname mismatch: expected server.test, the certificate "
            "is for other.test, 127.0.0.1");
  EXPECT_EQ(server_->session.outcome(), TlsOutcome::kAlert);
  EXPECT_EQ(server_->session.error(), "the peer refused: bad certificate");
}

TEST_F(TlsSessionTest, AnIpAddressIsCheckedAsSuch) {
  Make(tls_.ServerFiles(), tls_.ClientFiles(), "127.0.0.1");
  ShakeWell();
  Make(tls_.ServerFiles(), tls_.ClientFiles(), "127.0.0.2");
  Shake();
  EXPECT_EQ(client_->session.outcome(), TlsOutcome::kWrongName);
  EXPECT_THAT(client_->session.error(), HasSubstr("expected 127.0.0.2"));
}

TEST_F(TlsSessionTest, AServerOfAnotherAuthorityIsRefused) {
  const testing::TestAuthority other("other");
  TlsClientFiles client = tls_.ClientFiles();
  client.ca = tls_.folder().Write("other.crt", other.certificate());
  Make(tls_.ServerFiles(), client);
  Shake();
  EXPECT_EQ(client_->session.outcome(), TlsOutcome::kBadCertificate);
  EXPECT_EQ(client_->session.error(),
            "certificate verify failed: unable to get local issuer certificate (CN=server)");
}

TEST_F(TlsSessionTest, AClientWithoutACertificateIsRefused) {
  TlsServerFiles server = tls_.ServerFiles();
  server.client_ca = tls_.ca();
  Make(server, tls_.ClientFiles());
  Shake();
  EXPECT_EQ(server_->session.outcome(), TlsOutcome::kNoCertificate);
  // TLS 1.3: the client thought that it was in.
  std::string bytes;
  EXPECT_EQ(ReceiveInto(*client_, bytes), -1);
  EXPECT_THAT(client_->session.error(), StartsWith("the peer refused: certificate required"));
}

TEST_F(TlsSessionTest, AClientIsTakenByItsName) {
  TlsServerFiles server = tls_.ServerFiles();
  server.client_ca = tls_.ca();
  server.client_names = {"spiffe://shop/web"};
  Make(server, tls_.ClientFiles("URI:spiffe://shop/web"));
  ShakeWell();
  Make(server, tls_.ClientFiles("URI:spiffe://shop/other,DNS:x"));
  Shake();
  EXPECT_EQ(server_->session.outcome(), TlsOutcome::kWrongName);
  EXPECT_EQ(server_->session.error(),
            "certificate verify failed: no name that is welcome: the certificate is for "
            "spiffe://shop/other, x");
}

TEST_F(TlsSessionTest, AClientOfAnotherAuthorityIsRefusedWhateverItsName) {
  const testing::TestAuthority other("other");
  TlsServerFiles server = tls_.ServerFiles();
  server.client_ca = tls_.ca();
  server.client_names = {"web"};
  Make(server, tls_.ClientFiles("DNS:web", &other));
  Shake();
  EXPECT_EQ(server_->session.outcome(), TlsOutcome::kBadCertificate);
  EXPECT_THAT(server_->session.error(), HasSubstr("unable to get local issuer certificate"));
}

TEST_F(TlsSessionTest, NothingIsResumed) {
  MakePlainest();
  ShakeWell();
  // No ticket waits for the client behind the handshake.
  while (Pass(65536)) {
  }
  char byte = 0;
  EXPECT_EQ(recv(client_->fd(), &byte, 1, MSG_PEEK), -1);
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace lanekeeper
