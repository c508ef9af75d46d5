// The filter that each RPC's metadata goes through, with few headers and with many.
#include <benchmark/benchmark.h>
#include <grpc/slice.h>

#include <string>
#include <vector>

#include "proxy/rpc/metadata.h"
#include "tests/bench/micro/kernel.h"
#include "tests/support/received_metadata.h"

namespace lanekeeper {
namespace {

// What a typical client sends, and then what tracing and gateways add.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"user-agent", "grpc-python/1.51.1 grpc-c/29.0.0 (linux; chttp2)"},
    {"authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhcHAifQ.c2lnbmF0dXJlLW9mLXRva2Vu"},
    {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"tracestate", "vendor=00f067aa0ba902b7"},
    {"x-request-id", "8a1f6bd2-3c54-4f7f-9f33-0f6b3d3f6f10"},
    {"x-tenant", "shop"},
    {"te", "trailers"},
    {"content-type", "application/grpc"},
    {"baggage", "user=42,region=eu-west"},
    {"x-forwarded-for", "10.1.2.3"},
    {"x-forwarded-proto", "https"},
    {"x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"},
    {"x-b3-spanid", "a2fb4a1d1a96d312"},
    {"x-b3-sampled", "1"},
    {"x-client-version", "2024.11.3"},
    {"x-device-id", "b5f0c2de-7a55-4f7c-8a3e-2b9c1b7f3e11"},
    {"accept-language", "en-GB"},
    {"x-feature-flags", "a,b,c,d,e"},
    {"grpc-previous-rpc-attempts", "1"},
    {"x-context-bin", "\x0a\x10\x01\x02\x03\x04"}};

LANEKEEPER_KERNEL size_t KernelMetadata8(const ReceivedMetadata& received,
                                         const MetadataRules& rules) {
  return TranslateMetadata(received.array(), rules).forward.size();
}

LANEKEEPER_KERNEL size_t KernelMetadata20(const ReceivedMetadata& received,
                                          const MetadataRules& rules) {
  return TranslateMetadata(received.array(), rules).forward.size();
}

template <size_t (*kernel)(const ReceivedMetadata&, const MetadataRules&), size_t count>
void MetadataFilter(benchmark::State& state) {
  constexpr size_t kStripped = 2;  // te, content-type
  const MetadataRules rules{16 * 1024, "metadata_size", {}};
  const ReceivedMetadata received({kHeaders, kHeaders + count});
  for (auto _ : state) {
    if (kernel(received, rules) != count - kStripped) state.SkipWithError("filtered wrongly");
  }
}
BENCHMARK(MetadataFilter<KernelMetadata8, 8>)->Name("metadata_filter/8_headers");
BENCHMARK(MetadataFilter<KernelMetadata20, 20>)->Name("metadata_filter/20_headers");

}  // namespace
}  // namespace lanekeeper
