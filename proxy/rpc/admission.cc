#include "proxy/rpc/admission.h"

namespace lanekeeper {

AdmittedPlace::~AdmittedPlace() {
  if (admission_ != nullptr) admission_->Leave();
}

std::optional<AdmittedPlace> Admission::TryEnter(RejectReason& why) {
  const int64_t before = open_.fetch_add(1);
  // In this order: whoever waits for emptiness after Close either sees our place taken or we see
  // that it is closed.
  const bool closed = closed_.load();
  if (before < open_rpcs_max_ && !closed) return AdmittedPlace(*this);
  Leave();
  why = closed ? RejectReason::kDraining : RejectReason::kOpenRpcs;
  return std::nullopt;
}

void Admission::Leave() {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  // The lock orders this with a waiter that has just seen a number above zero.
  const std::lock_guard lock(empty_mutex_);
  empty_.notify_all();
}

bool Admission::WaitUntilEmpty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(empty_mutex_);
  return empty_.wait_until(lock, deadline, [this] { return open_.load() == 0; });
}

}  // namespace lanekeeper
