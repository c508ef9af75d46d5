#include <gtest/gtest.h>

#include <string>

#include "proxy/admin/entrance.h"

namespace lanekeeper {
namespace {

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kRequest = "GET /streams HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(TellProtocolTest, EveryPartOfThePrefaceMayStillBecomeIt) {
  for (size_t size = 0; size < 14; ++size) {
    EXPECT_EQ(TellProtocol(kPreface.substr(0, size)), Protocol::kUndecided) << size;
  }
  for (size_t size = 14; size <= kPreface.size(); ++size) {
    EXPECT_EQ(TellProtocol(kPreface.substr(0, size)), Protocol::kHttp2) << size;
  }
}

TEST(TellProtocolTest, ARequestHeadHasToBeWhole) {
  for (size_t size = 1; size < kRequest.size(); ++size) {
    EXPECT_EQ(TellProtocol(kRequest.substr(0, size)), Protocol::kUndecided) << size;
  }
  EXPECT_EQ(TellProtocol(kRequest), Protocol::kHttp1);
  EXPECT_EQ(TellProtocol(kRequest + "body"), Protocol::kHttp1);
}

TEST(TellProtocolTest, APathThatBeginsAsThePrefaceIsHttp1) {
  EXPECT_EQ(TellProtocol("PRI * HTTP/1.1\r\n\r\n"), Protocol::kHttp1);
  EXPECT_EQ(TellProtocol("PRINT / HTTP/1.1\r\n\r\n"), Protocol::kHttp1);
}

TEST(TellProtocolTest, AHeadThatIsTooLongIsNotWaitedFor) {
  const std::string head = "GET /" + std::string(kFirstBytesMax, 'x');
  EXPECT_EQ(TellProtocol(head.substr(0, kFirstBytesMax - 1)), Protocol::kUndecided);
  EXPECT_EQ(TellProtocol(head.substr(0, kFirstBytesMax)), Protocol::kHttp1);
}

TEST(TellProtocolTest, ATlsHandshakeIsNeither) {
  EXPECT_EQ(TellProtocol("\x16\x03\x01"), Protocol::kNeither);
  EXPECT_EQ(TellProtocol(std::string(1, '\0')), Protocol::kNeither);
}

}  // namespace
}  // namespace lanekeeper
