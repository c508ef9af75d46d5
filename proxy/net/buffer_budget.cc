#include "proxy/net/buffer_budget.h"

namespace lanekeeper {
namespace {

BufferStage Above(BufferStage stage) {
  return static_cast<BufferStage>(static_cast<uint8_t>(stage) + 1);
}
BufferStage Below(BufferStage stage) {
  return static_cast<BufferStage>(static_cast<uint8_t>(stage) - 1);
}

}  // namespace

int64_t BufferBudget::EnteredAt(BufferStage stage) const {
  switch (stage) {
    case BufferStage::kFree:
      return INT64_MIN;
    case BufferStage::kNoGrowth:
      return limit() / 2;
    case BufferStage::kWithholdCredit:
      return limit() / 4 * 3;
    case BufferStage::kRefuse:
      return limit();
  }
  return limit();
}

void BufferBudget::SetLimit(int64_t bytes) {
  limit_.store(bytes, std::memory_order_relaxed);
  Restage(held());
}

void BufferBudget::Restage(int64_t held) {
  const int64_t slack = limit() / 8;
  BufferStage stage = this->stage();
  while (stage != BufferStage::kRefuse && held >= EnteredAt(Above(stage))) {
    stage = Above(stage);
    entered_[static_cast<size_t>(stage)].fetch_add(1, std::memory_order_relaxed);
  }
  while (stage != BufferStage::kFree && held < EnteredAt(stage) - slack) stage = Below(stage);
  stage_.store(stage, std::memory_order_relaxed);
  enter_next_ = stage == BufferStage::kRefuse ? INT64_MAX : EnteredAt(Above(stage));
  leave_ = stage == BufferStage::kFree ? INT64_MIN : EnteredAt(stage) - slack;
}

bool BufferBudget::TakeGrowth(int64_t bytes) {
  if (stage() != BufferStage::kFree) return false;
  if (bytes > (limit() / 2 - growth_taken_) / 4) return false;
  growth_taken_ += bytes;
  return true;
}

}  // namespace lanekeeper
