// limits.buffered_bytes: how much a loop's connections hold, and what has to be done about it.
// Owned by the loop's Buffers; its thread, but the numbers any. Nearer to the limit, more is done:
// each stage is left a little below where it is entered, so that it does not flap.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "proxy/base/words.h"

namespace lanekeeper {

// Each does what those before it do, too.
enum class BufferStage : uint8_t {
  kFree,
  kNoGrowth,        // from 1/2 of the limit: windows of streams grow no further
  kWithholdCredit,  // from 3/4: windows that have grown shrink, streams that hold much get no
                    // credit
  kRefuse,          // from the limit: new RPCs are refused
};
template <>
inline constexpr auto kLabels<BufferStage> =
    std::to_array<Named<BufferStage>>({{"free", BufferStage::kFree},
                                       {"no_growth", BufferStage::kNoGrowth},
                                       {"withhold_credit", BufferStage::kWithholdCredit},
                                       {"refuse", BufferStage::kRefuse}});

class BufferBudget {
 public:
  BufferBudget() { SetLimit(INT64_MAX); }
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  void SetLimit(int64_t bytes);

  // More is held, or less.
  void Add(int64_t bytes) {
    const int64_t held = this->held() + bytes;
    held_.store(held, std::memory_order_relaxed);
    if (held >= enter_next_ || held < leave_) Restage(held);
  }

  // By how much all windows together may grow is half of the limit. Whoever asks gets no more than
  // a quarter of what is left, so that some is left for others. False: nothing was taken.
  bool TakeGrowth(int64_t bytes);
  void ReturnGrowth(int64_t bytes) { growth_taken_ -= bytes; }

  // ---- any thread
  int64_t held() const { return held_.load(std::memory_order_relaxed); }
  BufferStage stage() const { return stage_.load(std::memory_order_relaxed); }
  // How often the stage was entered from the one before it.
  int64_t entered(BufferStage stage) const {
    return entered_[static_cast<size_t>(stage)].load(std::memory_order_relaxed);
  }
  int64_t limit() const { return limit_.load(std::memory_order_relaxed); }

 private:
  int64_t EnteredAt(BufferStage stage) const;
  void Restage(int64_t held);

  std::atomic<int64_t> limit_{0};
  std::atomic<int64_t> held_{0};
  std::atomic<BufferStage> stage_{BufferStage::kFree};
  std::array<std::atomic<int64_t>, kLabels<BufferStage>.size()> entered_{};
  int64_t growth_taken_ = 0;
  int64_t enter_next_ = 0;  // from here on the next stage
  int64_t leave_ = 0;       // below this the one before
};

}  // namespace lanekeeper
