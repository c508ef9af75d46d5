// grpc-timeout: what is read is written so that it is read as no less, and hardly more.
#include "proxy/grpc/timeout.h"

#include <algorithm>
#include <cstring>

#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"

namespace lanekeeper::fuzz {
namespace {

constexpr int64_t kLongest = int64_t{100} * 365 * 24 * 3'600'000'000'000;

void CheckFormat(int64_t nanoseconds) {
  const TimeoutText text = FormatTimeout(std::chrono::nanoseconds(nanoseconds));
  Check(text.size >= 2 && text.size <= 9, "at most eight digits and a unit");
  const auto read = ParseTimeout(text.view());
  Check(read.has_value(), "what is written can be read");
  const int64_t wanted = std::clamp<int64_t>(nanoseconds, 1, kLongest);
  Check(read->count() >= wanted, "no peer gives up early");
  Check(read->count() - wanted <= wanted / 10'000 || read->count() == kLongest,
        "rounding adds hardly anything");
  if (nanoseconds > kLongest) return;
  Check(FormatTimeout(*read).view() == text.view(), "written once more it is the same");
}

void Run(Input input) {
  const uint8_t kind = input.Byte();
  const std::string_view rest = input.Rest();
  if (kind % 2 == 0) {
    int64_t number = 0;
    std::memcpy(&number, rest.data(), std::min(rest.size(), sizeof number));
    return CheckFormat(number);
  }
  const auto read = ParseTimeout(rest);
  if (!read) return;
  Check(read->count() >= 0 && read->count() <= kLongest, "a timeout is in range");
  Check(rest.size() >= 2 && rest.size() <= 9, "only what gRPC allows is read");
  CheckFormat(read->count());
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}
