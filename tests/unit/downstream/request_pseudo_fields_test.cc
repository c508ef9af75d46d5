#include <gtest/gtest.h>

#include <string>

#include "proxy/downstream/request_head.h"

namespace lanekeeper {
namespace {

// Of a request that is fine but for one pseudo-header field.
RequestHead Judge(const std::string& name, const std::string& value,
                  const std::string& content_type = "application/grpc") {
  http2::FieldList fields;
  for (const auto& [key, usual] : {std::pair<std::string, std::string>{":method", "POST"},
                                   {":scheme", "http"},
                                   {":path", "/s/M"},
                                   {":authority", "orders:50051"}}) {
    fields.Add(key, key == name ? value : usual);
  }
  fields.Add("content-type", content_type);
  return JudgeRequest(fields, false,
                      {.metadata_bytes_max = 8192, .authority = {}, .scheme = "http"});
}

const std::string kHarmful[] = {"/s/M\r\nx: y", std::string("/s/\0M", 5), "/s/M\x7f", "/s M",
                                "\t/s/M"};

TEST(RequestHeadTest, NoControlCharacterOfAPseudoFieldGoesOn) {
  for (const char* name : {":method", ":scheme", ":path", ":authority"}) {
    for (const std::string& value : kHarmful) {
      const RequestHead head = Judge(name, value);
      ASSERT_NE(head.request.problem, nullptr) << name << ": " << value;
      EXPECT_EQ(head.request.problem->code, StatusCode::kInvalidArgument);
    }
  }
}

TEST(RequestHeadTest, WhatIsNotGrpcIsMalformedForAControlCharacterInItsPath) {
  for (const std::string& value : kHarmful) {
    EXPECT_EQ(Judge(":path", value, "text/html").kind, RequestKind::kMalformed) << value;
  }
  EXPECT_EQ(Judge(":path", "/", "text/html").kind, RequestKind::kNotGrpc);
}

TEST(RequestHeadTest, PathsThatAreOddButHarmlessGoOn) {
  for (const std::string path : {"/s/M?x=1", "//s//M", "/s%2FM", "NoSlash", "/caf\xc3\xa9/M"}) {
    const RequestHead head = Judge(":path", path);
    EXPECT_EQ(head.request.problem, nullptr) << path;
    EXPECT_EQ(head.request.fields.Find(":path"), path);
  }
}

// `host` is no pseudo-header field, but takes the place of one.
TEST(RequestHeadTest, AHostWithControlCharactersBecomesNoAuthority) {
  http2::FieldList fields;
  fields.Add(":method", "POST");
  fields.Add(":scheme", "http");
  fields.Add(":path", "/s/M");
  fields.Add("host", "orders\r\nx: y");
  fields.Add("content-type", "application/grpc");
  const RequestHead head =
      JudgeRequest(fields, false, {.metadata_bytes_max = 8192, .authority = {}, .scheme = "http"});
  EXPECT_EQ(head.request.fields.Find(":authority"), "localhost");
}

}  // namespace
}  // namespace lanekeeper
