// The whole table of what reads otherwise through lanekeeper, and why. Every row must be true: one
// that does not show fails its case.
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <initializer_list>

#include "tests/conformance/wire/differences.h"

namespace lanekeeper::testing::wire {
namespace {

using End = Difference::End;
using Table = std::vector<Difference>;

constexpr char kUsualHeaders[] = "  :status: 200\n  content-type: application/grpc\n";

std::string Status(int code, const std::string& message) {
  return fmt::format("  grpc-message: {}\n  grpc-status: {}\n", message, code);
}

std::string InOneBlock(int code, const std::string& message) {
  return std::string("trailers only\n") + kUsualHeaders + Status(code, message);
}

// doc/PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping".
int MeaningOfReset(uint32_t code) {
  switch (code) {
    case NGHTTP2_REFUSED_STREAM:
      return 14;
    case NGHTTP2_CANCEL:
      return 1;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return 8;
    case NGHTTP2_INADEQUATE_SECURITY:
      return 7;
    default:
      return 13;
  }
}

void AddResets(Table& table) {
  constexpr char kBecomesStatus[] =
      "core's client takes a reset for a status, and its server cannot send a reset of a chosen "
      "code";
  constexpr char kNoCode[] = "core's server does not tell the code; its client cancels with CANCEL";
  constexpr char kNoPart[] = "messages are forwarded whole";
  for (uint32_t code = 0; code <= NGHTTP2_HTTP_1_1_REQUIRED; ++code) {
    const std::string reset = fmt::format("RST_STREAM {}\n", code);
    const int status = MeaningOfReset(code);
    const std::string message = fmt::format("Received RST_STREAM with error code {}", code);
    const std::string trailers = "trailers\n" + Status(status, message);
    const auto name = [&](const char* what) { return fmt::format("{} {}", what, code); };
    const std::string cut = "cut message, 7 bytes with prefix\n";
    table.push_back({name("server resets before headers"), End::kClient, reset,
                     InOneBlock(status, message), kBecomesStatus});
    for (const char* what :
         {"server resets after headers", "server resets after a message was read",
          "server resets right after a message"}) {
      table.push_back({name(what), End::kClient, reset, trailers, kBecomesStatus});
    }
    table.push_back(
        {name("server resets mid message"), End::kClient, cut + reset, trailers, kNoPart});
    table.push_back({name("client resets mid message"), End::kServer, cut, "", kNoPart});
    if (code == NGHTTP2_CANCEL) continue;
    for (const char* what : {"client resets after headers", "client resets after a message",
                             "client resets mid message", "client resets after response headers",
                             "client resets after a response", "client resets after half-close"}) {
      table.push_back({name(what), End::kServer, reset, "RST_STREAM 8\n", kNoCode});
    }
  }
  table.push_back({"client's connection is lost", End::kServer, "connection lost\n",
                   "RST_STREAM 8\n", "only that RPC ends: the connection upstream is everyone's"});
  constexpr char kLost[] = "only that RPC ends: the connection downstream stays";
  table.push_back({"server's connection is lost before headers", End::kClient, "connection lost\n",
                   InOneBlock(14, "Socket closed"), kLost});
  table.push_back({"server's connection is lost after a message", End::kClient, "connection lost\n",
                   "trailers\n" + Status(14, "Socket closed"), kLost});
}

void AddStatuses(Table& table) {
  const auto reads_as = [&](const std::string& direct, const std::string& proxied) {
    for (const char* where : {"trailers only", "trailers"}) {
      table.push_back({fmt::format("{} with status '{}'", where, direct), End::kClient,
                       fmt::format("  grpc-status: {}\n", direct),
                       fmt::format("  grpc-status: {}\n", proxied),
                       "core passes on the number that it read; UNKNOWN where it read none"});
    }
  };
  reads_as("4294967295", "2");
  reads_as("abc", "2");
  reads_as("", "2");
  reads_as("00", "0");
  reads_as("1 ", "1");
  reads_as("-1", "2");

  constexpr char kNoStatus[] = "an answer without a status is what core makes of it";
  const std::string none = Status(2, "No status received");
  table.push_back({"trailers only without status", End::kClient, "  x-key: v\n",
                   none + "  x-key: v\n", kNoStatus});
  table.push_back(
      {"trailers without status", End::kClient, "  x-key: v\n", none + "  x-key: v\n", kNoStatus});
  for (const char* test_case : {"no trailers at all", "no trailers right after a message"}) {
    table.push_back({test_case, End::kClient, "END_STREAM\n",
                     "trailers\n" + Status(2, "Stream removed"), kNoStatus});
  }
  for (const char* test_case : {"message at once: empty", "message: empty"}) {
    table.push_back({test_case, End::kClient, "  grpc-message: \n", "",
                     "core does not tell an empty message from none"});
  }
}

int MeaningOfHttp(int code) {
  switch (code) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

void AddHttp(Table& table) {
  constexpr char kMeaning[] = "core answers with the status that the HTTP error means";
  for (const int http : {400, 401, 403, 404, 405, 408, 429, 500, 502, 503, 504, 302, 204}) {
    const std::string page = fmt::format("  :status: {}\n  content-type: text/html\n", http);
    const std::string status =
        InOneBlock(MeaningOfHttp(http), fmt::format("Received http2 header with status: {}", http));
    table.push_back(
        {fmt::format("HTTP {}", http), End::kClient, "trailers only\n" + page, status, kMeaning});
    table.push_back({fmt::format("HTTP with a body {}", http), End::kClient,
                     "headers\n" + page + "cut message, 11 bytes with prefix\nEND_STREAM\n", status,
                     kMeaning});
  }
  table.push_back({"HTTP 503 with a status", End::kClient, "  :status: 503\n", "  :status: 200\n",
                   "core writes :status itself; the status of gRPC is what counts"});
  constexpr char kContentType[] = "core writes content-type itself, without subtype";
  table.push_back(
      {"no content-type", End::kClient, "  :status: 200\n", kUsualHeaders, kContentType});
  table.push_back({"content-type with a codec", End::kClient, "application/grpc+proto",
                   "application/grpc", kContentType});
  table.push_back(
      {"content-type of a page", End::kClient, "text/html", "application/grpc", kContentType});
  table.push_back({"content-type application/grpc+proto", End::kServer, "application/grpc+proto",
                   "application/grpc", kContentType});
  table.push_back({"content-type application/grpc+json", End::kServer, "application/grpc+json",
                   "application/grpc", kContentType});
  table.push_back({"scheme https", End::kServer, "  :scheme: https\n", "  :scheme: http\n",
                   "says how the hop is secured: lanekeeper's is plaintext"});
}

void AddFields(Table& table) {
  const auto kept = [&](const char* test_case, End end, const char* line, const char* reason) {
    table.push_back({test_case, end, line, "", reason});
  };
  constexpr char kIdentity[] = "core does not write what no field says as well";
  for (const char* test_case : {"identity both ways", "a flag and identity"}) {
    kept(test_case, End::kClient, "  grpc-encoding: identity\n", kIdentity);
    kept(test_case, End::kServer, "  grpc-encoding: identity\n", kIdentity);
  }
  constexpr char kNotShown[] = "core keeps it to itself: it is in no metadata that it shows";
  kept("load report in trailers", End::kClient, "  endpoint-load-metrics-bin: \\x09\\x01\\x02\n",
       kNotShown);
  kept("server stats", End::kClient,
       "  grpc-server-stats-bin: \\x00\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x00\\x00\n",
       kNotShown);
  kept("lb-cost-bin", End::kClient, "  lb-cost-bin: 0123456789\n", kNotShown);
  kept("grpc-trace-bin", End::kServer, "  grpc-trace-bin: trace\n", kNotShown);
  kept("grpc-tags-bin", End::kServer, "  grpc-tags-bin: tags\n", kNotShown);
  constexpr char kOneHop[] = "belongs to one connection (RFC 9113 section 8.2.2)";
  kept("connection", End::kServer, "  connection: close\n", kOneHop);
  kept("keep-alive", End::kServer, "  keep-alive: timeout=5\n", kOneHop);
  kept("transfer-encoding", End::kServer, "  transfer-encoding: chunked\n", kOneHop);
  kept("upgrade", End::kServer, "  upgrade: h2c\n", kOneHop);
  kept("host", End::kServer, "  host: other.test\n", ":authority says it");
  constexpr char kLength[] = "core frames the body anew";
  kept("content-length", End::kServer, "  content-length: 12\n", kLength);
  kept("content-length", End::kClient, "  content-length: 13\n", kLength);
  table.push_back({"host alone", End::kServer, "  :method",
                   "  :authority: named.by.host\n  :method",
                   "core's client always writes :authority"});
  kept("host alone", End::kServer, "  host: named.by.host\n", ":authority says it now");
  constexpr char kNoTimeout[] = "core takes a timeout that it cannot read for none";
  kept("without unit", End::kServer, "  grpc-timeout: (some time)\n", kNoTimeout);
  kept("no number", End::kServer, "  grpc-timeout: (some time)\n", kNoTimeout);
}

}  // namespace

const std::vector<Difference>& ExpectedDifferences() {
  static const Table table = [] {
    Table all;
    AddResets(all);
    AddStatuses(all);
    AddHttp(all);
    AddFields(all);
    return all;
  }();
  return table;
}

}  // namespace lanekeeper::testing::wire
