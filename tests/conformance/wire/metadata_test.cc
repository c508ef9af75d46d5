// Metadata crosses as it is: order, repeated keys, and every value that HTTP/2 allows, in requests,
// headers, trailers, and answers of one block.
#include <gtest/gtest.h>

#include "tests/conformance/wire/grpc_client.h"
#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireMetadata : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireMetadata);

// The fields in all the places where there is metadata.
std::vector<Case> Everywhere(const std::string& name, const Fields& fields) {
  return {{name + ", in blocks of their own", Unary(fields), Answer(fields, fields)},
          {name + ", in one block", Unary(), [=](Stream& rpc) {
             rpc.AwaitEnd();
             rpc.LastHeaders(TrailersOnly("3", fields));
           }}};
}

void ExpectEqualEverywhere(const RouteKind& kind,
                           const std::vector<std::pair<std::string, Fields>>& named) {
  std::vector<Case> cases;
  for (const auto& [name, fields] : named) {
    for (Case& one : Everywhere(name, fields)) cases.push_back(std::move(one));
  }
  ExpectEqualToDirect(kind, cases);
}

std::string AllBytes() {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  return bytes;
}

Fields Many(int count) {
  Fields fields;
  for (int i = 0; i < count; ++i)
    fields.emplace_back("x-" + std::to_string(i % 7), std::to_string(i));
  return fields;
}

TEST_P(WireMetadata, OrderAndRepeatedKeysAreKept) {
  ExpectEqualEverywhere(
      GetParam(),
      {{"repeated keys",
        {{"x-b", "1"}, {"x-a", "2"}, {"x-b", "3"}, {"x-a-bin", "AQ"}, {"x-b", "1"}}},
       {"100 fields", Many(100)},
       {"every character of a key", {{"x0123456789abcdefghijklmnopqrstuvwxyz_-.", "v"}}},
       {"keys of one character", {{"x", "1"}, {"-", "2"}, {"0", "3"}}}});
}

TEST_P(WireMetadata, BinaryValuesKeepEveryByte) {
  const std::string all = AllBytes();
  ExpectEqualEverywhere(
      GetParam(),
      {{"all 256 bytes", {{"x-all-bin", Base64(all)}}},
       {"all 256 bytes, padded", {{"x-all-bin", Base64(all, true)}}},
       {"lengths 1 to 5",
        {{"x-bin", Base64("\xff")},
         {"x-bin", Base64("\xff\xfe")},
         {"x-bin", Base64("\xff\xfe\xfd")},
         {"x-bin", Base64("\xff\xfe\xfd\xfc")},
         {"x-bin", Base64("\xff\xfe\xfd\xfc\xfb")}}},
       {"padded lengths", {{"x-bin", Base64("\xff", true)}, {"x-bin", Base64("\xff\xfe", true)}}},
       {"an empty binary value", {{"x-bin", ""}, {"x-after", "v"}}},
       {"zeros", {{"x-bin", Base64(std::string(100, '\0'))}}}});
}

TEST_P(WireMetadata, TextValuesKeepEveryCharacter) {
  std::string printable;
  for (char c = 0x21; c < 0x7f; ++c) printable += c;
  ExpectEqualEverywhere(GetParam(), {{"an empty value", {{"x-empty", ""}, {"x-after", "v"}}},
                                     {"all of printable ASCII", {{"x-all", printable}}},
                                     {"inner spaces", {{"x-spaces", "a  b   c"}}},
                                     {"leading spaces", {{"x-spaces", "  a"}}},
                                     {"trailing spaces", {{"x-spaces", "a  "}}},
                                     {"a space", {{"x-space", " "}}},
                                     {"commas", {{"x-list", "a, b,c"}, {"x-list", "d"}}},
                                     {"4000 bytes", {{"x-long", std::string(4000, 'v')}}}});
}

TEST_P(WireMetadata, WellKnownFieldsPass) {
  ExpectEqualEverywhere(
      GetParam(),
      {{"authorization", {{"authorization", "Bearer abc.def-ghi"}}},
       {"tracing",
        {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
         {"tracestate", "a=1,b=2"},
         {"baggage", "k=v"},
         {"b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"},
         {"x-request-id", "id"}}},
       {"cookies", {{"cookie", "a=1"}, {"cookie", "b=2; c=3"}, {"set-cookie", "d=4; Path=/"}}},
       {"of HTTP",
        {{"accept", "*/*"},
         {"accept-encoding", "gzip"},
         {"cache-control", "no-cache"},
         {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
         {"forwarded", "for=192.0.2.60"},
         {"origin", "https://example.org"},
         {"referer", "https://example.org/"},
         {"server", "raw"},
         {"vary", "origin"},
         {"via", "1.1 vegur"},
         {"x-forwarded-for", "192.0.2.1"}}},
       {"grpc- names that gRPC does not use", {{"grpc-custom", "v"}, {"grpc-custom-bin", "AQ"}}},
       {"grpc-status-details-bin", {{"grpc-status-details-bin", "CAMSA25v"}}}});
}

TEST_P(WireMetadata, FieldsOfRetriesPass) {
  ExpectEqualToDirect(
      GetParam(),
      {{"previous attempts", Unary({{"grpc-previous-rpc-attempts", "3"}}),
        Answer({{"grpc-previous-rpc-attempts", "2"}})},
       {"push back in trailers", Unary(), Answer({}, {{"grpc-retry-pushback-ms", "1500"}})},
       {"push back for good", Unary(), Answer({}, {{"grpc-retry-pushback-ms", "-1"}})},
       {"push back in one block", Unary(), [](Stream& rpc) {
          rpc.AwaitEnd();
          rpc.LastHeaders(TrailersOnly("14", {{"grpc-retry-pushback-ms", "0"}}));
        }}});
}

TEST_P(WireMetadata, FieldsThatGrpcHasUsesForPass) {
  ExpectEqualToDirect(
      GetParam(),
      {{"lb-token", Unary({{"lb-token", "token"}}), Answer({{"lb-token", "token"}})},
       {"lb-cost-bin", Unary(), Answer({}, {{"lb-cost-bin", Base64("0123456789")}})},
       {"load report in trailers", Unary(),
        Answer({}, {{"endpoint-load-metrics-bin", Base64("\x09\x01\x02")}})},
       {"server stats", Unary(),
        Answer({}, {{"grpc-server-stats-bin", Base64(std::string("\0\0\1\2\3\4\5\6\7\0\0", 11))}})},
       {"grpc-trace-bin", Unary({{"grpc-trace-bin", Base64("trace")}}), Answer()},
       {"grpc-tags-bin", Unary({{"grpc-tags-bin", Base64("tags")}}), Answer()}});
}

TEST_P(WireMetadata, FieldsOfOneHopStayOnIt) {
  ExpectEqualToDirect(
      GetParam(),
      {{"host", Unary({{"host", "other.test"}}), Answer()},
       {"connection", Unary({{"connection", "close"}}), Answer()},
       {"keep-alive", Unary({{"keep-alive", "timeout=5"}}), Answer()},
       {"transfer-encoding", Unary({{"transfer-encoding", "chunked"}}), Answer()},
       {"upgrade", Unary({{"upgrade", "h2c"}}), Answer()},
       {"content-length", Unary({{"content-length", "12"}}), Answer({{"content-length", "13"}})}});
}

}  // namespace
}  // namespace lanekeeper::testing::wire
