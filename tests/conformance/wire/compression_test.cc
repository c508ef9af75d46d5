// Messages cross as bytes: compressed or not, sound or not, in any mixture.
#include <gtest/gtest.h>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class WireCompression : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(WireCompression);

constexpr int kPlain = 0;
constexpr int kCompressed = 1;

using Messages = std::vector<std::pair<int, std::string>>;

const Messages kMixed = {{kCompressed, "\x1f\x8b not really gzip"},
                         {kPlain, "plain"},
                         {kCompressed, ""},
                         {kPlain, ""},
                         {kCompressed, std::string(40000, '\x1f')},
                         {kCompressed, std::string("\0\0\0\0\0", 5)},
                         {kPlain, std::string(40000, 'p')}};

void SendAll(Stream& rpc, const Messages& messages) {
  for (const auto& [flag, bytes] : messages) rpc.Message(bytes, flag);
}

Fields Encoding(const std::string& name) {
  return name.empty() ? Fields{} : Fields{{"grpc-encoding", name}};
}

Case Exchange(const std::string& name, const std::string& to_upstream, Messages requests,
              const std::string& to_downstream, Messages responses) {
  return {name,
          [=](Stream& rpc) {
            rpc.Headers(Request(Encoding(to_upstream)));
            SendAll(rpc, requests);
            rpc.HalfClose().AwaitEnd();
          },
          [=](Stream& rpc) {
            rpc.AwaitEnd();
            rpc.Headers(Response(Encoding(to_downstream)));
            SendAll(rpc, responses);
            rpc.LastHeaders(Trailers());
          }};
}

TEST_P(WireCompression, FlagsAndBytesPassAsTheyAreWithEachAlgorithm) {
  const Messages plain = {{kPlain, "plain"}};
  ExpectEqualToDirect(GetParam(),
                      {Exchange("gzip both ways", "gzip", kMixed, "gzip", kMixed),
                       Exchange("deflate both ways", "deflate", kMixed, "deflate", kMixed),
                       Exchange("gzip up, deflate down", "gzip", kMixed, "deflate", kMixed),
                       Exchange("deflate up, gzip down", "deflate", kMixed, "gzip", kMixed),
                       Exchange("gzip up, none down", "gzip", kMixed, "", plain),
                       Exchange("none up, gzip down", "", plain, "gzip", kMixed),
                       Exchange("identity both ways", "identity", plain, "identity", plain)});
}

TEST_P(WireCompression, AlgorithmsThatNobodyKnowsPassAsTheyAre) {
  std::vector<Case> cases;
  for (const char* name : {"zstd", "br", "snappy", "x-of-our-own"}) {
    cases.push_back(Exchange(std::string(name) + " both ways", name, kMixed, name, kMixed));
    cases.push_back(
        Exchange(std::string(name) + " up only", name, kMixed, "", {{kPlain, "plain"}}));
    cases.push_back(
        Exchange(std::string(name) + " down only", "", {{kPlain, "plain"}}, name, kMixed));
  }
  ExpectEqualToDirect(GetParam(), cases);
}

TEST_P(WireCompression, ACompressedFlagWithoutAnAlgorithmPasses) {
  ExpectEqualToDirect(GetParam(),
                      {Exchange("a flag and no algorithm", "", kMixed, "", kMixed),
                       Exchange("a flag and identity", "identity", kMixed, "identity", kMixed)});
}

// Or the server would compress what the client cannot read.
TEST_P(WireCompression, WhatAnEndCanInflateReachesTheOther) {
  std::vector<Case> cases;
  for (const char* accepted : {"identity", "gzip", "deflate", "identity,deflate,gzip",
                               "identity, gzip", "gzip,zstd", "zstd"}) {
    const Fields field = {{"grpc-accept-encoding", accepted}};
    cases.push_back({std::string("accepting ") + accepted, Unary(field), Answer(field)});
  }
  cases.push_back({"accepting nothing", Unary(), Answer()});
  ExpectEqualToDirect(GetParam(), cases);
}

}  // namespace
}  // namespace lanekeeper::testing::wire
