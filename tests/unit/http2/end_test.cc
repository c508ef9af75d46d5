// Ends of a stream that come in place of others, before anything has left. Both roles of Connection
// against each other, on the test's own thread.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "proxy/http2/connection.h"

namespace lanekeeper::http2 {
namespace {

FieldList Fields(const std::string& name, const std::string& value) {
  FieldList fields;
  fields.Add(name, value);
  return fields;
}

struct Observer : ConnectionObserver, StreamObserver {
  virtual ~Observer() = default;
  void OnRequest(int32_t, const FieldList&, bool, bool) override {}
  void OnReady() override {}
  void OnRoom() override {}
  void OnGoaway(const Goaway&) override {}
  void OnPong() override {}
  void OnEnd(const ConnectionEnd&) override { ADD_FAILURE() << "the connection ended"; }
  void OnClosed(Stream&) override {}
  void OnContractViolation(const char* operation) override { ADD_FAILURE() << operation; }
};

class EndTest : public ::testing::Test {
 protected:
  EndTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    server_side_.stream = &server_stream_;
    server_ = std::make_unique<Connection>(
        loop_, Fd(ends[0]), ConnectionOptions{Side::kDownstream, 65536, &frames_}, server_side_);
    server_side_.connection = server_.get();
    client_ = std::make_unique<Connection>(
        loop_, Fd(ends[1]), ConnectionOptions{Side::kUpstream, 65536, &frames_}, client_side_);
    Turns();
    client_stream_.End();
    FieldList request = Fields(":method", "POST");
    request.Add(":scheme", "http");
    request.Add(":path", "/s/M");
    EXPECT_TRUE(client_->Open(client_stream_, client_stream_.Keep(std::move(request))));
    Turns();
  }
  ~EndTest() override {
    client_.reset();
    server_.reset();
  }

  void Turns() {
    for (int i = 0; i < 6; ++i) loop_.Glance();
  }

  struct ServerSide : Observer {
    void OnRequest(int32_t id, const FieldList&, bool, bool end) override {
      connection->Adopt(id, *stream, end);
    }
    Connection* connection = nullptr;
    Stream* stream = nullptr;
  };

  static inline const std::string kFirst = std::string(200, 'a');
  static inline const std::string kSecond = std::string(200, 'b');

  EventLoop loop_;
  Fiber fiber_{loop_.ready()};
  FrameCounts frames_;
  ServerSide server_side_;
  Observer client_side_;
  Stream server_stream_{fiber_, loop_.buffers(), server_side_};
  Stream client_stream_{fiber_, loop_.buffers(), client_side_};
  std::unique_ptr<Connection> server_;
  std::unique_ptr<Connection> client_;
};

// The library has the first ones, and reads them when they leave.
TEST_F(EndTest, TrailersThatAreQueuedAreTheEnd) {
  server_stream_.SendHeaders(Fields(":status", "200"), false);
  server_stream_.End(Fields("grpc-message", kFirst));
  server_stream_.EndNow(Fields("grpc-message", kSecond));
  const FieldList memory = Fields("grpc-message", std::string(200, 'c'));
  Turns();
  EXPECT_EQ(client_stream_.trailers().Find("grpc-message"), kFirst);
  EXPECT_EQ(client_stream_.close_cause(), CloseCause::kDone);
  EXPECT_EQ(frames_.resets_sent.load(), 0);
}

TEST_F(EndTest, AnAnswerOfHeadersAloneIsTheEnd) {
  server_stream_.SendHeaders(Fields(":status", "200"), true);
  server_stream_.EndNow(Fields("grpc-message", kSecond));
  Turns();
  EXPECT_TRUE(client_stream_.ended_with_headers());
  EXPECT_EQ(client_stream_.close_cause(), CloseCause::kDone);
  EXPECT_EQ(frames_.resets_sent.load(), 0);
}

TEST_F(EndTest, BytesAndTrailersThatHaveNotLeftGiveWay) {
  server_stream_.SendHeaders(Fields(":status", "200"), false);
  SliceQueue bytes(loop_.buffers());
  bytes.AppendCopy(reinterpret_cast<const uint8_t*>("abc"), 3);
  server_stream_.Push(bytes);
  server_stream_.End(Fields("grpc-message", kFirst));
  server_stream_.EndNow(Fields("grpc-message", kSecond));
  Turns();
  EXPECT_EQ(client_stream_.trailers().Find("grpc-message"), kSecond);
  SliceQueue received(loop_.buffers());
  client_stream_.TakeReceived(received);
  EXPECT_TRUE(received.empty());
}

}  // namespace
}  // namespace lanekeeper::http2
