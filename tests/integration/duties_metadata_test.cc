// Header fields cross byte for byte, in order, duplicates apart; only what belongs to a hop stays
// behind.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const Fields kOk = {{"grpc-status", "0"}};

// What cannot stand in a header block (RFC 9113 section 8.2.1), then what is no metadata of gRPC's.
const Fields kIllegal = {{"x-bad", std::string("a\0b", 3)},
                         {"x-bad", "a\r\nb"},
                         {"x bad", "v"},
                         {"X-Bad", "v"},
                         {"", "v"},
                         {":bad", "v"},
                         {"x-bad", "\x01"},
                         {"x-bad", "\x7f"},
                         {"x-bad", "caf\xc3\xa9"}};
constexpr char kTerminated[] = "lanekeeper_streams_terminated_total";

// Without pseudo-fields and what a hop writes itself.
Fields Passed(Fields fields) {
  std::erase_if(fields, [](const auto& field) {
    return field.first.starts_with(':') || field.first == "te" || field.first == "content-type";
  });
  return fields;
}

class DutiesMetadataTest : public BothKinds {
 protected:
  struct Seen {
    RawPeer::Stream upstream;
    RawPeer::Stream downstream;
  };

  // One unary RPC, and what both ends have seen of it.
  Seen Exchange(const Fields& request, const Fields& headers = ResponseFields(),
                const Fields& trailers = kOk) const {
    return ExchangeBlocks(Literals(request), Literals(headers), Literals(trailers));
  }

  Seen ExchangeBlocks(const std::string& request, const std::string& headers,
                      const std::string& trailers) const {
    Seen seen;
    ScriptedUpstream upstream([&](const RawListener& listener) {
      RawPeer peer = RawPeer::Accept(listener);
      if (!peer.AwaitOver(1)) return;
      seen.upstream = peer[1];
      peer.Send(kHeaders, kEndHeaders, 1, headers);
      peer.Data(1, Framed("response"));
      peer.Send(kHeaders, kEndHeaders | kEndStream, 1, trailers);
      peer.AwaitClosed();
    });
    ProxyHarness proxy(GetParam(), upstream.address());
    RawPeer client = RawPeer::Dial(proxy);
    client.Send(kHeaders, kEndHeaders, 1, request);
    client.Data(1, Framed("request"), kEndStream);
    EXPECT_TRUE(client.AwaitOver(1));
    seen.downstream = client[1];
    return seen;
  }
};
LANEKEEPER_BOTH_KINDS(DutiesMetadataTest);

TEST_P(DutiesMetadataTest, FieldsPassInOrderAndDuplicatesStayApart) {
  const Fields request = {{"user-agent", "grpc-raw/1 (test)"},
                          {"x-a", "1"},
                          {"x-b", "2"},
                          {"x-a", "3"},
                          {"x-empty", ""},
                          {"x-data-bin", "AAE="},
                          {"x-data-bin", "AAE"},
                          {"cookie", "a=1"},
                          {"cookie", "b=2"},
                          {"grpc-encoding", "snappy"},
                          {"grpc-accept-encoding", "identity,snappy,zstd"},
                          {"grpc-trace-bin", "AAAA"},
                          {"grpc-tags-bin", "AAAA"},
                          {"grpc-previous-rpc-attempts", "2"},
                          {"authorization", "Bearer a,b=c"},
                          {"x-a", "1"}};
  const Fields headers = {{"server", "raw"},          {"grpc-encoding", "snappy"},
                          {"set-cookie", "a=1"},      {"x-a", "1"},
                          {"set-cookie", "b=2"},      {"x-a", "2"},
                          {"x-data-bin", "AAE,AAE="}, {"grpc-accept-encoding", "zstd"}};
  const Fields trailers = {{"x-t", "1"},
                           {"grpc-status", "0"},
                           {"grpc-message", "caf%C3%A9"},
                           {"x-t", "2"},
                           {"endpoint-load-metrics-bin", "AAAA"},
                           {"grpc-status-details-bin", "AAAA"}};
  const Seen seen = Exchange(RequestFields(request), ResponseFields(headers), trailers);
  EXPECT_THAT(Passed(seen.upstream.first()), ElementsAreArray(request));
  ASSERT_EQ(seen.downstream.blocks.size(), 2u);
  EXPECT_THAT(Passed(seen.downstream.first()), ElementsAreArray(headers));
  EXPECT_THAT(Passed(seen.downstream.last()), ElementsAreArray(trailers));
}

TEST_P(DutiesMetadataTest, WhatBelongsToAHopStaysBehind) {
  const Fields hop = {{"connection", "keep-alive, x-named"},
                      {"keep-alive", "timeout=5"},
                      {"proxy-connection", "x"},
                      {"transfer-encoding", "chunked"},
                      {"upgrade", "h2c"},
                      {"http2-settings", "AAMAAABk"},
                      {"x-named", "v"},
                      {"x-kept", "v"}};
  const Seen seen = Exchange(RequestFields(hop), ResponseFields(hop));
  EXPECT_THAT(Passed(seen.upstream.first()), ElementsAre(Fields::value_type("x-kept", "v")));
  EXPECT_THAT(Passed(seen.downstream.first()), ElementsAre(Fields::value_type("x-kept", "v")));
  EXPECT_EQ(seen.downstream.status(), "0");
}

// Whoever answers it with 100 would do so in the middle of a shared connection.
TEST_P(DutiesMetadataTest, ExpectStaysBehind) {
  const Seen seen = Exchange(RequestFields({{"expect", "100-continue"}}));
  EXPECT_THAT(Passed(seen.upstream.first()), IsEmpty());
  EXPECT_EQ(seen.downstream.status(), "0");
}

TEST_P(DutiesMetadataTest, SubtypesOfTheContentTypePassBothWays) {
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc+json",
                           "application/grpc;charset=utf-8"}) {
    const Seen seen = Exchange(With(RequestFields(), "content-type", type),
                               With(ResponseFields(), "content-type", type));
    EXPECT_THAT(Values(seen.upstream.first(), "content-type"), ElementsAre(type));
    EXPECT_THAT(Values(seen.downstream.first(), "content-type"), ElementsAre(type));
  }
}

// It belongs to a hop, and others on the way remove or rewrite it.
TEST_P(DutiesMetadataTest, AnOddTeIsWrittenAnew) {
  std::vector<Fields> requests = {Without(RequestFields(), "te"),
                                  RequestFields({{"te", "trailers"}})};
  for (const char* te : {"trailers", "Trailers", "trailers, deflate", "gzip"}) {
    requests.push_back(With(RequestFields(), "te", te));
  }
  for (const Fields& request : requests) {
    const Seen seen = Exchange(request);
    EXPECT_THAT(Values(seen.upstream.first(), "te"), ElementsAre("trailers"));
    EXPECT_EQ(seen.downstream.status(), "0");
  }
}

TEST_P(DutiesMetadataTest, HostStaysBehindWhereThereIsAnAuthority) {
  const Seen seen = Exchange(RequestFields({{"host", "another.host"}}));
  EXPECT_THAT(Values(seen.upstream.first(), ":authority"), ElementsAre("localhost"));
  EXPECT_THAT(Values(seen.upstream.first(), "host"), IsEmpty());
}

TEST_P(DutiesMetadataTest, HostStandsInForAMissingAuthority) {
  Fields request = Without(RequestFields(), ":authority");
  request.emplace_back("host", "named.by.host");
  const Seen seen = Exchange(request);
  std::vector<std::string> names = Values(seen.upstream.first(), ":authority");
  for (const std::string& host : Values(seen.upstream.first(), "host")) names.push_back(host);
  EXPECT_THAT(names, ElementsAre("named.by.host"));
  EXPECT_EQ(seen.downstream.status(), "0");
}

// The path of a socket is no host, and many servers refuse what is none.
TEST_P(DutiesMetadataTest, ThePathOfASocketBecomesLocalhost) {
  const std::string path =
      std::filesystem::path(::testing::TempDir()) / ("authority" + KindName({GetParam(), 0}));
  for (const char* authority : {"/run/x.sock", "%2Frun%2Fx.sock"}) {
    RawPeer::Stream seen;
    {
      ScriptedUpstream upstream([&](const RawListener& listener) {
        RawPeer peer = RawPeer::Accept(listener);
        if (!peer.AwaitOver(1)) return;
        seen = peer[1];
        peer.Answer(1, "response");
        peer.AwaitClosed();
      });
      ProxyHarness proxy(GetParam(), upstream.address(),
                         [&](Config& config) { config.listen = {{"unix://" + path}}; });
      RawPeer client(RawHttp2::DialUnix(path));
      client.Headers(1, With(RequestFields(), ":authority", authority));
      client.Data(1, Framed("request"), kEndStream);
      EXPECT_TRUE(client.AwaitOver(1));
      EXPECT_EQ(client[1].status(), "0");
    }
    EXPECT_THAT(Values(seen.first(), ":authority"), ElementsAre("localhost"));
  }
}

TEST_P(DutiesMetadataTest, TheSchemeIsThatOfTheUpstreamsTransport) {
  const Seen seen = Exchange(With(RequestFields(), ":scheme", "https"));
  EXPECT_THAT(Values(seen.upstream.first(), ":scheme"), ElementsAre("http"));
  EXPECT_EQ(seen.downstream.status(), "0");
}

TEST_P(DutiesMetadataTest, ThePathPassesByteForByte) {
  for (const std::string& path :
       {std::string("/s/M?x=1"), std::string("//s//M"), std::string("/s%2FM"),
        std::string("/s/../t/M"), std::string("/NoSlash"), "/s/" + std::string(6000, 'M')}) {
    const Seen seen = Exchange(RequestFields({}, path));
    EXPECT_THAT(Values(seen.upstream.first(), ":path"), ElementsAre(path));
    EXPECT_EQ(seen.downstream.status(), "0");
  }
}

TEST_P(DutiesMetadataTest, APathThatIsNonePassesAsItIsOrNotAtAll) {
  for (const char* path : {"*", ""}) {
    const Seen seen = Exchange(RequestFields({}, path));
    EXPECT_THAT(Values(seen.upstream.first(), ":path"), AnyOf(IsEmpty(), ElementsAre(path)));
  }
}

TEST_P(DutiesMetadataTest, MethodsOtherThanPostPass) {
  const Seen seen = Exchange(With(RequestFields(), ":method", "GET"));
  EXPECT_THAT(Values(seen.upstream.first(), ":method"), ElementsAre("GET"));
  EXPECT_EQ(seen.downstream.status(), "0");
}

// RFC 7541 section 7.1.3 demands it of every hop.
TEST_P(DutiesMetadataTest, WhatMustNeverBeIndexedKeepsItsMark) {
  const Fields secret = {{"x-secret", "s"}};
  const Seen seen = ExchangeBlocks(Literals(RequestFields()) + NeverIndexed(secret),
                                   Literals(ResponseFields()) + NeverIndexed(secret),
                                   Literals(kOk) + NeverIndexed({{"x-late-secret", "s"}}));
  EXPECT_TRUE(seen.upstream.never_indexed.contains("x-secret"));
  EXPECT_TRUE(seen.downstream.never_indexed.contains("x-secret"));
  EXPECT_TRUE(seen.downstream.never_indexed.contains("x-late-secret"));
  EXPECT_FALSE(seen.upstream.never_indexed.contains("te"));
}

TEST_P(DutiesMetadataTest, AnIllegalRequestFieldFailsThatRpcAlone) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy);
  client.Headers(1, RequestFields());
  uint32_t stream = 1;
  size_t echoed = 0;
  for (const auto& field : kIllegal) {
    client.Headers(stream += 2, RequestFields({field}));
    EXPECT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "3") << field.first << ": " << field.second;
    EXPECT_THAT(client[stream].Value("grpc-message"), StartsWith("lanekeeper: "));
    client.Data(1, Framed("x"));
    EXPECT_TRUE(client.AwaitData(1, echoed += Framed("x").size()));
  }
  EXPECT_EQ(upstream.calls(), 1);
  EXPECT_EQ(proxy.Metric(kTerminated, {{"cause", "illegal_metadata"}}), kIllegal.size());
  client.Data(1, "", kEndStream);
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "0");
}

// In the headers, and in the trailers behind good ones.
TEST_P(DutiesMetadataTest, AnIllegalResponseFieldFailsThatRpcAlone) {
  ScriptedUpstream upstream([&](const RawListener& listener) {
    RawPeer peer = RawPeer::Accept(listener);
    size_t nth = 0;
    peer.Serve([&](uint32_t stream) {
      if (nth / 2 == kIllegal.size()) return peer.Answer(stream, "fine");
      const auto& field = kIllegal[nth / 2];
      if (nth++ % 2 == 0) return peer.Headers(stream, ResponseFields({field}));
      peer.Respond(stream);
      peer.Headers(stream, {{"grpc-status", "0"}, field}, kEndStream);
    });
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  for (const auto& field : kIllegal) {
    for (const char* place : {"headers", "trailers"}) {
      EXPECT_EQ(Unary(proxy.channel(), "x").status.error_code(), grpc::StatusCode::INTERNAL)
          << field.first << ": " << field.second << " in " << place;
    }
  }
  EXPECT_EQ(Unary(proxy.channel(), "x").response, "fine");
  // ":bad" among trailers breaks a rule of HTTP/2's streams, and is counted as that.
  EXPECT_EQ(proxy.Metric(kTerminated, {{"cause", "illegal_metadata"}}), 2 * kIllegal.size() - 1);
  EXPECT_EQ(proxy.Metric(kTerminated, {{"cause", "upstream_lost"}}), 1);
  EXPECT_EQ(proxy.Metric("lanekeeper_upstream_connections"), 1);
}

}  // namespace
}  // namespace lanekeeper::testing
