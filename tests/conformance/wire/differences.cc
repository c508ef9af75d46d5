#include "tests/conformance/wire/differences.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conformance/wire/fields.h"

namespace lanekeeper::testing::wire {
namespace {

// What core can inflate, besides identity: it knows no other name in grpc-accept-encoding.
constexpr std::string_view kKnownAlgorithms[] = {"deflate", "gzip"};

// The fields that grpc_metadata_batch has a trait for (src/core/lib/transport/metadata_batch.h).
constexpr std::string_view kKeptApart[] = {
    ":authority",
    ":method",
    ":path",
    ":scheme",
    ":status",
    "content-type",
    "endpoint-load-metrics-bin",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-previous-rpc-attempts",
    "grpc-retry-pushback-ms",
    "grpc-server-stats-bin",
    "grpc-status",
    "grpc-tags-bin",
    "grpc-timeout",
    "grpc-trace-bin",
    "host",
    "lb-cost-bin",
    "lb-token",
    "te",
};

bool Replace(std::string& text, const Difference& difference) {
  const size_t at = text.find(difference.direct);
  if (at == std::string::npos) return false;
  text.replace(at, difference.direct.size(), difference.proxied);
  return true;
}

}  // namespace

bool IsLeftOut(const std::string& name, const std::string& value) {
  // Core writes its own and takes none from the application.
  if (name == "user-agent") return true;
  // To accept nothing is what no such field says as well.
  return name == "grpc-accept-encoding" && Normalized(name, value).empty();
}

bool IsKeptApartByCore(std::string_view name) {
  return std::find(std::begin(kKeptApart), std::end(kKeptApart), name) != std::end(kKeptApart);
}

std::string Normalized(const std::string& name, const std::string& value) {
  // Core decodes and encodes anew: what counts is what the text says.
  if (name == "grpc-message") return PercentDecoded(value);
  // Padded or not, it is the same value.
  if (name.ends_with("-bin")) return Unbase64(value);
  // A list without order, in which each hop leaves out what it does not know.
  if (name == "grpc-accept-encoding") {
    std::string known;
    for (const std::string_view algorithm : kKnownAlgorithms) {
      if (value.find(algorithm) != std::string::npos) known += " " + std::string(algorithm);
    }
    return known;
  }
  // Counted down on the way, and in another unit: timeout_test.cc holds the value to account.
  if (name == "grpc-timeout") return "(some time)";
  return value;
}

std::string Expected(const std::string& test_case, Difference::End end, std::string direct) {
  for (const Difference& difference : ExpectedDifferences()) {
    if (difference.test_case != test_case || difference.end != end) continue;
    EXPECT_TRUE(Replace(direct, difference)) << "a difference that is none: " << difference.direct;
  }
  return direct;
}

}  // namespace lanekeeper::testing::wire
