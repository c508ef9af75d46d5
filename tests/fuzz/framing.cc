// The borders of messages: what the counter says is what a plain reading of the whole says, however
// the bytes were cut.
#include "proxy/grpc/framing.h"

#include <vector>

#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"

namespace lanekeeper::fuzz {
namespace {

struct Counts {
  uint64_t begun = 0;
  uint64_t complete = 0;
  uint64_t payload_bytes = 0;
  uint64_t too_large = 0;
  uint64_t bytes = 0;
  uint64_t reserved_flags = 0;
  bool mid_message = false;

  bool operator==(const Counts&) const = default;
};

Counts Of(const MessageCounter& counter) {
  return {counter.begun(), counter.complete(),       counter.payload_bytes(), counter.too_large(),
          counter.bytes(), counter.reserved_flags(), counter.mid_message()};
}

// Of the whole, with the bytes in one piece.
Counts Read(std::string_view bytes, uint64_t size_max) {
  Counts counts;
  while (!bytes.empty()) {
    if (bytes.size() < MessageCounter::kPrefixBytes) {
      counts.bytes += bytes.size();
      counts.mid_message = true;
      break;
    }
    uint64_t size = 0;
    for (const char c : bytes.substr(1, 4)) size = size << 8 | static_cast<unsigned char>(c);
    if (size > size_max) {
      counts.too_large = size;
      break;
    }
    ++counts.begun;
    if (static_cast<unsigned char>(bytes[0]) > 1) ++counts.reserved_flags;
    bytes.remove_prefix(MessageCounter::kPrefixBytes);
    const uint64_t part = std::min<uint64_t>(size, bytes.size());
    counts.payload_bytes += part;
    counts.bytes += MessageCounter::kPrefixBytes + part;
    if (part == size) ++counts.complete;
    counts.mid_message = part < size;
    bytes.remove_prefix(part);
  }
  return counts;
}

bool Add(MessageCounter& counter, std::string_view bytes) {
  return counter.Add(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

void Run(Input input) {
  constexpr uint64_t kSizesMax[] = {UINT64_MAX, 0, 1, 100, 65536, UINT32_MAX};
  const uint64_t size_max = kSizesMax[input.Byte() % std::size(kSizesMax)];
  std::vector<size_t> cuts;
  for (size_t count = input.Byte() % 16; count > 0; --count) cuts.push_back(input.Byte() % 64);
  const std::string_view bytes = input.Rest();

  MessageCounter whole(size_max);
  const bool fits = Add(whole, bytes);
  MessageCounter cut(size_max);
  bool cut_fits = true;
  std::string_view left = bytes;
  for (size_t i = 0; cut_fits && i < cuts.size(); ++i) {
    const std::string_view piece = left.substr(0, cuts[i]);
    left.remove_prefix(piece.size());
    cut_fits = Add(cut, piece);
  }
  if (cut_fits) cut_fits = Add(cut, left);

  const Counts expected = Read(bytes, size_max);
  Check(fits == cut_fits, "a cut changes nothing about what is too large");
  Check(fits == (expected.too_large == 0), "only a prefix above the limit is too large");
  Check(Of(whole) == expected, "the counts are those of a plain reading");
  // What was cut inside the prefix that is too large has begun to be read.
  Counts of_cut = Of(cut);
  Check(of_cut == expected, "a cut changes no count");
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}
