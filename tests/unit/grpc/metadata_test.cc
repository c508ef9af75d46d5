#include "proxy/grpc/metadata.h"

#include <gtest/gtest.h>

#include <string>

namespace lanekeeper {
namespace {

TEST(MetadataTest, WhatBelongsToOneConnectionIsStripped) {
  for (const char* name : {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                           "upgrade", "http2-settings", "te", "expect"}) {
    EXPECT_EQ(JudgeField(name, "x"), FieldVerdict::kStrip) << name;
  }
}

TEST(MetadataTest, EverythingElseThatIsLegalPasses) {
  for (const char* name : {"user-agent", "content-type", "grpc-encoding", "grpc-accept-encoding",
                           "grpc-timeout", "grpc-trace-bin", "cookie", "x-1_2.3", "grpc-status",
                           "content-length", "endpoint-load-metrics-bin"}) {
    EXPECT_EQ(JudgeField(name, " a value, with spaces~ "), FieldVerdict::kForward) << name;
  }
}

TEST(MetadataTest, WhatGrpcDoesNotAllowIsIllegal) {
  EXPECT_EQ(JudgeField("", "v"), FieldVerdict::kIllegal);
  EXPECT_EQ(JudgeField("X-Upper", "v"), FieldVerdict::kIllegal);
  EXPECT_EQ(JudgeField("x bad", "v"), FieldVerdict::kIllegal);
  EXPECT_EQ(JudgeField("x-bad", "caf\xc3\xa9"), FieldVerdict::kIllegal);
  EXPECT_EQ(JudgeField("x-bad", std::string_view("\0", 1)), FieldVerdict::kIllegal);
  EXPECT_EQ(JudgeField("x-bad", "\x7f"), FieldVerdict::kIllegal);
}

TEST(MetadataTest, EachByteOfAPseudoHeaderIsJudgedWhereverItStands) {
  EXPECT_TRUE(IsPseudoValue(""));
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 0; at < 20; ++at) {
      std::string value = "/service.v1.X/Method";
      value[at] = static_cast<char>(byte);
      EXPECT_EQ(IsPseudoValue(value), byte > 0x20 && byte != 0x7f) << byte << " at " << at;
    }
  }
}

TEST(MetadataTest, EachByteOfAValueIsJudgedWhereverItStands) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 0; at < 20; ++at) {
      std::string value = "a value, with spaces";
      value[at] = static_cast<char>(byte);
      const bool good = byte >= 0x20 && byte <= 0x7e;
      EXPECT_EQ(JudgeField("x-a", value), good ? FieldVerdict::kForward : FieldVerdict::kIllegal)
          << byte << " at " << at;
    }
  }
}

TEST(MetadataTest, MalformedIsWhatHttp2Says) {
  EXPECT_FALSE(IsMalformedField("x-name!#$", "\xff any byte"));
  EXPECT_TRUE(IsMalformedField("X", "v"));
  EXPECT_TRUE(IsMalformedField("a:b", "v"));
  EXPECT_TRUE(IsMalformedField("", "v"));
  EXPECT_TRUE(IsMalformedField("a", "line\nbreak"));
  EXPECT_TRUE(IsMalformedField("a", " v"));
  EXPECT_TRUE(IsMalformedField("a", "v\t"));
}

TEST(MetadataTest, FieldsNamedInConnectionAreFound) {
  EXPECT_TRUE(NamedInConnection("close, X-Hop ,other", "x-hop"));
  EXPECT_TRUE(NamedInConnection("x-hop", "x-hop"));
  EXPECT_FALSE(NamedInConnection("x-hopper, close", "x-hop"));
  EXPECT_FALSE(NamedInConnection("", "x-hop"));
}

TEST(MetadataTest, OnlyGrpcIsGrpc) {
  for (const char* type :
       {"application/grpc", "application/grpc+proto", "application/grpc;x=y", "Application/GRPC"}) {
    EXPECT_TRUE(IsGrpcContentType(type)) << type;
  }
  for (const char* type : {"", "application/grpc-web", "application/grpc-web+proto",
                           "application/grpcx", "application/json", "text/plain"}) {
    EXPECT_FALSE(IsGrpcContentType(type)) << type;
  }
}

TEST(MetadataTest, AUnixPathIsNoAuthority) {
  for (const char* authority : {"localhost", "orders.example:443", "[::1]:50051", "10.0.0.1"}) {
    EXPECT_TRUE(IsHostAuthority(authority)) << authority;
  }
  for (const char* authority : {"", "/run/x.sock", "%2Frun%2Fx.sock", "run%2fx", "./x"}) {
    EXPECT_FALSE(IsHostAuthority(authority)) << authority;
  }
}

TEST(MetadataTest, BytesFromTheWireAreMadePrintable) {
  EXPECT_EQ(PrintableField("a\nb\x80"), "a?b?");
  EXPECT_EQ(PrintableField(std::string(100, 'x')).size(), 64u);
}

}  // namespace
}  // namespace lanekeeper
