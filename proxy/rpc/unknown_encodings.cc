// Compression algorithms that core does not know by name: zstd, snappy, what a team made for
// itself. Core reads grpc-encoding into a number and forgets names that it cannot read, so that a
// message would arrive marked as compressed but without saying how. The two functions that turn
// names into numbers and back are replaced here by ones that know more names; a third, which
// refuses numbers above core's own, is replaced by one that does not. They are found before those
// of gRPC's library, as sendmsg is (send_coalescer.cc). A gRPC that has them no longer just forgets
// again, and tests/conformance says so. Process-wide like the functions they replace; any thread.
#include <absl/strings/string_view.h>
#include <absl/types/optional.h>
#include <grpc/compression.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>

#include "proxy/rpc/compression.h"

namespace lanekeeper {
namespace {

// The numbers after core's own; the first is its count, which it takes for a mistake.
constexpr size_t kFirst = GRPC_COMPRESS_ALGORITHMS_COUNT + 1;
// What is in use out there, so that nobody who makes names up can use the places for them up.
constexpr std::array<const char*, 8> kWellKnown = {"zstd", "br",  "snappy", "x-snappy-framed",
                                                   "s2",   "lz4", "x-gzip", "lzma"};
constexpr size_t kLearntMax = 56;
constexpr size_t kNameBytesMax = 32;

// Names that came by, in the order they came. Written under the mutex, read without.
struct Learnt {
  std::mutex mutex;
  std::atomic<size_t> count{0};
  std::array<std::array<char, kNameBytesMax + 1>, kLearntMax> names{};
};
constinit Learnt learnt;

grpc_compression_algorithm NumberOf(size_t index) {
  return static_cast<grpc_compression_algorithm>(kFirst + index);
}

absl::optional<grpc_compression_algorithm> FindLearnt(absl::string_view name, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (name == learnt.names[i].data()) return NumberOf(kWellKnown.size() + i);
  }
  return absl::nullopt;
}

// RFC 9110 section 5.6.2, as far as gRPC's names go.
bool IsToken(absl::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::strchr("-_.+", c) != nullptr;
  });
}

absl::optional<grpc_compression_algorithm> Learn(absl::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !IsToken(name)) return absl::nullopt;
  std::lock_guard lock(learnt.mutex);
  const size_t count = learnt.count.load(std::memory_order_relaxed);
  if (auto known = FindLearnt(name, count)) return known;
  if (count == kLearntMax) return absl::nullopt;
  std::copy(name.begin(), name.end(), learnt.names[count].begin());
  learnt.count.store(count + 1, std::memory_order_release);
  return NumberOf(kWellKnown.size() + count);
}

}  // namespace

const char* EncodingName(grpc_compression_algorithm algorithm) {
  switch (algorithm) {
    case GRPC_COMPRESS_NONE:
      return "identity";
    case GRPC_COMPRESS_DEFLATE:
      return "deflate";
    case GRPC_COMPRESS_GZIP:
      return "gzip";
    default:
      break;
  }
  const auto number = static_cast<size_t>(algorithm);
  if (number < kFirst) return nullptr;
  const size_t index = number - kFirst;
  if (index < kWellKnown.size()) return kWellKnown[index];
  const size_t learnt_index = index - kWellKnown.size();
  if (learnt_index >= learnt.count.load(std::memory_order_acquire)) return nullptr;
  return learnt.names[learnt_index].data();
}

}  // namespace lanekeeper

namespace grpc_core {

absl::optional<grpc_compression_algorithm> ParseCompressionAlgorithm(absl::string_view name);
const char* CompressionAlgorithmAsString(grpc_compression_algorithm algorithm);

class FilterStackCall {
 public:
  void HandleCompressionAlgorithmDisabled(grpc_compression_algorithm algorithm);
};

absl::optional<grpc_compression_algorithm> ParseCompressionAlgorithm(absl::string_view name) {
  using namespace lanekeeper;
  if (name == "identity") return GRPC_COMPRESS_NONE;
  if (name == "gzip") return GRPC_COMPRESS_GZIP;
  if (name == "deflate") return GRPC_COMPRESS_DEFLATE;
  for (size_t i = 0; i < kWellKnown.size(); ++i) {
    if (name == kWellKnown[i]) return NumberOf(i);
  }
  if (auto known = FindLearnt(name, learnt.count.load(std::memory_order_acquire))) return known;
  return Learn(name);
}

const char* CompressionAlgorithmAsString(grpc_compression_algorithm algorithm) {
  return lanekeeper::EncodingName(algorithm);
}

// Called for numbers that core has no bit for. Whether an algorithm is any good is for the upstream
// to say.
void FilterStackCall::HandleCompressionAlgorithmDisabled(grpc_compression_algorithm) {}

}  // namespace grpc_core
