#include "proxy/grpc/status.h"

#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

TEST(StatusTest, HttpStatusesMeanWhatGrpcSays) {
  EXPECT_EQ(StatusOfHttp(400), StatusCode::kInternal);
  EXPECT_EQ(StatusOfHttp(401), StatusCode::kUnauthenticated);
  EXPECT_EQ(StatusOfHttp(403), StatusCode::kPermissionDenied);
  EXPECT_EQ(StatusOfHttp(404), StatusCode::kUnimplemented);
  EXPECT_EQ(StatusOfHttp(431), StatusCode::kInternal);
  for (const int status : {429, 502, 503, 504}) {
    EXPECT_EQ(StatusOfHttp(status), StatusCode::kUnavailable) << status;
  }
  for (const int status : {200, 302, 500}) {
    EXPECT_EQ(StatusOfHttp(status), StatusCode::kUnknown) << status;
  }
}

TEST(StatusTest, ResetsMeanWhatGrpcSays) {
  for (uint32_t code = 0; code < 20; ++code) {
    const StatusCode expected = code == 7    ? StatusCode::kUnavailable
                                : code == 8  ? StatusCode::kCancelled
                                : code == 11 ? StatusCode::kResourceExhausted
                                : code == 12 ? StatusCode::kPermissionDenied
                                             : StatusCode::kInternal;
    EXPECT_EQ(StatusOfReset(code), expected) << code;
  }
}

TEST(StatusTest, WhatIsNoNumberIsUnknown) {
  EXPECT_EQ(ParseStatus("0"), 0);
  EXPECT_EQ(ParseStatus("16"), 16);
  EXPECT_EQ(ParseStatus("17"), 17);
  EXPECT_EQ(ParseStatus("2147483647"), 2147483647);
  for (const char* text : {"", "x", "-1", "-0", "+0", "1x", " 1", "2147483648", "99999999999"}) {
    EXPECT_EQ(ParseStatus(text), 2) << text;
  }
}

TEST(StatusTest, MessagesArePercentEncoded) {
  EXPECT_EQ(PercentEncode("plain text"), "plain text");
  EXPECT_EQ(PercentEncode("100 %\n\xc3\xa4~"), "100 %25%0A%C3%A4~");
}

TEST(StatusTest, OfAMessageThatIsNotEncodedOnlyControlsAre) {
  EXPECT_EQ(EncodeControls("100 %\n\xc3\xa4\x7f"), "100 %%0A\xc3\xa4%7F");
}

}  // namespace
}  // namespace lanekeeper
