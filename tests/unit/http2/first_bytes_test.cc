// The first bytes of a peer, in whatever pieces they come. The loop runs on the test's own thread.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {
namespace {

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);

class FirstBytesTest : public ::testing::Test, public ConnectionObserver {
 protected:
  void Open(Side side) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = Fd(ends[1]);
    connection_ = std::make_unique<Connection>(loop_, Fd(ends[0]),
                                               ConnectionOptions{side, 65536, &counts_}, *this);
    Turn();
  }

  // Each in a read of its own.
  void SendByteByByte(const std::string& bytes) {
    for (const char byte : bytes) {
      ASSERT_EQ(send(peer_.get(), &byte, 1, MSG_NOSIGNAL), 1);
      Turn();
    }
  }
  void Turn() {
    for (int i = 0; i < 3; ++i) loop_.Glance();
  }
  std::string Received() {
    char bytes[4096];
    const ssize_t size = recv(peer_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, size > 0 ? static_cast<size_t>(size) : 0};
  }

  void OnRequest(int32_t, const FieldList&, bool, bool) override {}
  void OnReady() override { ready_ = true; }
  void OnRoom() override {}
  void OnGoaway(const Goaway&) override {}
  void OnPong() override {}
  void OnEnd(const ConnectionEnd& end) override { end_ = end.kind; }

  EventLoop loop_;
  FrameCounts counts_;
  Fd peer_;
  std::unique_ptr<Connection> connection_;
  bool ready_ = false;
  EndKind end_ = EndKind::kClosed;
};

TEST_F(FirstBytesTest, SettingsOfAServerMayComeByteByByte) {
  Open(Side::kUpstream);
  SendByteByByte(kSettings);
  EXPECT_FALSE(connection_->ended());
  EXPECT_TRUE(ready_);
}

TEST_F(FirstBytesTest, APrefaceMayComeByteByByte) {
  Open(Side::kDownstream);
  SendByteByByte(kPreface + kSettings);
  EXPECT_FALSE(connection_->ended());
  EXPECT_TRUE(ready_);
  EXPECT_EQ(Received()[3], 4) << "SETTINGS come first";
}

// Nothing of HTTP/2 before it, though the first letters of the two are the same.
TEST_F(FirstBytesTest, Http1ByteByByteGetsNothingButItsAnswer) {
  Open(Side::kDownstream);
  SendByteByByte("P");
  const char rest[] = "OST / HTTP/1.1\r\n\r\n";
  ASSERT_GT(send(peer_.get(), rest, sizeof rest - 1, MSG_NOSIGNAL), 0);
  Turn();
  EXPECT_TRUE(connection_->ended());
  EXPECT_EQ(end_, EndKind::kHttp1);
  EXPECT_EQ(Received().substr(0, 12), "HTTP/1.1 400");
}

}  // namespace
}  // namespace lanekeeper::http2
