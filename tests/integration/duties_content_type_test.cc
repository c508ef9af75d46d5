// What is not gRPC is told so by lanekeeper itself, in words that its sender can read; the upstream
// sees nothing of it.
#include <gmock/gmock.h>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class DutiesContentTypeTest : public BothKinds {
 protected:
  DutiesContentTypeTest()
      : upstream_(Echo), proxy_(GetParam(), upstream_.address()), client_(RawPeer::Dial(proxy_)) {}

  // The port serves gRPC as before, and nothing else has gone upstream.
  void ExpectOnlyGrpcWentUpstream() {
    EXPECT_EQ(upstream_.calls(), 0);
    client_.Ask(1001, "x");
    EXPECT_TRUE(client_.AwaitOver(1001));
    EXPECT_EQ(client_[1001].data, Framed("x"));
    EXPECT_EQ(upstream_.calls(), 1);
  }

  RawHttp2 Connect() const {
    return RawHttp2::Connect(std::stoi(proxy_.address().substr(proxy_.address().rfind(':') + 1)));
  }

  FakeUpstream upstream_;
  ProxyHarness proxy_;
  RawPeer client_;
};
LANEKEEPER_BOTH_KINDS(DutiesContentTypeTest);

TEST_P(DutiesContentTypeTest, WhatIsNotGrpcIsAnsweredWith415) {
  std::vector<Fields> requests = {Without(RequestFields(), "content-type")};
  for (const char* type : {"application/json", "text/plain", "application/grpc-web+proto",
                           "application/grpc-web-text", "application/grpcx", ""}) {
    requests.push_back(With(RequestFields(), "content-type", type));
  }
  uint32_t stream = 1;
  for (const Fields& request : requests) {
    client_.Headers(stream, request);
    client_.Data(stream, "{}", kEndStream);
    ASSERT_TRUE(client_.AwaitOver(stream));
    const RawPeer::Stream& answer = client_[stream];
    EXPECT_TRUE(answer.ended);
    EXPECT_THAT(Values(answer.first(), ":status"), ElementsAre("415"));
    EXPECT_THAT(answer.Value("content-type"), StartsWith("text/plain"));
    EXPECT_THAT(answer.data, Not(IsEmpty()));
    stream += 2;
  }
  ExpectOnlyGrpcWentUpstream();
}

// Its body will not be read: RST_STREAM(NO_ERROR) tells so behind the whole answer (RFC 9113
// section 8.1).
TEST_P(DutiesContentTypeTest, TheAnswerWaitsForAShortWhileForTheBody) {
  client_.Headers(1, With(RequestFields(), "content-type", "application/json"));
  ASSERT_TRUE(client_.Await([&] { return client_[1].reset.has_value(); }));
  EXPECT_TRUE(client_[1].ended);
  EXPECT_THAT(Values(client_[1].first(), ":status"), ElementsAre("415"));
  EXPECT_EQ(client_[1].reset, kNoError);
  ExpectOnlyGrpcWentUpstream();
}

TEST_P(DutiesContentTypeTest, ConnectIsRefused) {
  client_.Headers(1, {{":method", "CONNECT"}, {":authority", "another.host:443"}});
  client_.Headers(3, {{":method", "CONNECT"},
                      {":protocol", "websocket"},
                      {":scheme", "http"},
                      {":path", "/chat"},
                      {":authority", "localhost"}});
  for (const uint32_t stream : {1, 3}) {
    EXPECT_TRUE(client_.AwaitOver(stream));
    EXPECT_THAT(Values(client_[stream].first(), ":status"), Not(ElementsAre("200")));
  }
  ExpectOnlyGrpcWentUpstream();
}

TEST_P(DutiesContentTypeTest, ARequestOfHttp1IsToldSo) {
  for (const char* request :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n",
        "POST /s/M HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"}) {
    RawHttp2 probe = Connect();
    ASSERT_TRUE(probe.SendBytes(request));
    const std::string answer = probe.ReadText();
    EXPECT_TRUE(probe.closed());
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
    const size_t body = answer.find("\r\n\r\n");
    ASSERT_NE(body, std::string::npos) << answer;
    EXPECT_THAT(answer.substr(body + 4), Not(IsEmpty()));
  }
  ExpectOnlyGrpcWentUpstream();
}

TEST_P(DutiesContentTypeTest, OtherBytesAreHungUpOn) {
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), std::string("\r\n\r\n"),
        std::string(100, '\0'), std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")}) {
    RawHttp2 probe = Connect();
    ASSERT_TRUE(probe.SendBytes(bytes));
    probe.ReadText();
    EXPECT_TRUE(probe.closed());
  }
  ExpectOnlyGrpcWentUpstream();
}

TEST_P(DutiesContentTypeTest, APrefaceInPiecesIsUnderstood) {
  const std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + FrameBytes(kSettings, 0, 0, "");
  RawPeer pieces(Connect());
  for (const char byte : bytes) ASSERT_TRUE(pieces.SendBytes({byte}));
  pieces.Ask(1, "in pieces");
  EXPECT_TRUE(pieces.AwaitOver(1));
  EXPECT_EQ(pieces[1].data, Framed("in pieces"));
}

}  // namespace
}  // namespace lanekeeper::testing
