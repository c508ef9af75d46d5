// The whole table of what reads otherwise through lanekeeper, and why. Every row must be true: one
// that does not show fails its case.
#include <fmt/format.h>

#include "tests/conformance/wire/differences.h"

namespace lanekeeper::testing::wire {
namespace {

using End = Difference::End;
using Table = std::vector<Difference>;

constexpr char kUsualHeaders[] = "  :status: 200\n  content-type: application/grpc\n";

std::string Status(int code, const std::string& message) {
  return fmt::format("  grpc-status: {}\n  grpc-message: {}\n", code, message);
}

std::string InOneBlock(int code, const std::string& message) {
  return std::string("trailers only\n") + kUsualHeaders + Status(code, message);
}

void AddResets(Table& table) {
  table.push_back({"client's connection is lost", End::kServer, "connection lost\n",
                   "RST_STREAM 8\n", "only that RPC ends: the connection upstream is everyone's"});
  constexpr char kLost[] = "only that RPC ends: the connection downstream stays";
  constexpr char kText[] = "lanekeeper: the connection to the upstream was lost";
  table.push_back({"server's connection is lost before headers", End::kClient, "connection lost\n",
                   InOneBlock(14, kText), kLost});
  table.push_back({"server's connection is lost after a message", End::kClient, "connection lost\n",
                   "trailers\n" + Status(14, kText), kLost});
}

void AddHttp(Table& table) {
  table.push_back({"authority unix:/run/x.sock", End::kServer, "  :authority: unix:/run/x.sock\n",
                   "  :authority: localhost\n",
                   "the path of a socket is no authority (RFC 9113 section 8.3.1)"});
  table.push_back({"scheme https", End::kServer, "  :scheme: https\n", "  :scheme: http\n",
                   "says how the hop is secured: lanekeeper's is plaintext"});
}

void AddFields(Table& table) {
  const auto kept = [&](const char* test_case, End end, const char* line, const char* reason) {
    table.push_back({test_case, end, line, "", reason});
  };
  constexpr char kOneHop[] = "belongs to one connection (RFC 9113 section 8.2.2)";
  kept("connection", End::kServer, "  connection: close\n", kOneHop);
  kept("keep-alive", End::kServer, "  keep-alive: timeout=5\n", kOneHop);
  kept("transfer-encoding", End::kServer, "  transfer-encoding: chunked\n", kOneHop);
  kept("upgrade", End::kServer, "  upgrade: h2c\n", kOneHop);
  kept("host", End::kServer, "  host: other.test\n", ":authority says it");
  table.push_back({"host alone", End::kServer, "  te: ", "  :authority: named.by.host\n  te: ",
                   "an intermediary writes :authority"});
  kept("host alone", End::kServer, "  host: named.by.host\n", ":authority says it now");
}

}  // namespace

const std::vector<Difference>& ExpectedDifferences() {
  static const Table table = [] {
    Table all;
    AddResets(all);
    AddHttp(all);
    AddFields(all);
    return all;
  }();
  return table;
}

}  // namespace lanekeeper::testing::wire
