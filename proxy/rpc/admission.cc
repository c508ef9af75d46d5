#include "proxy/rpc/admission.h"

#include <fmt/format.h>

namespace lanekeeper {
namespace {

Rejection Plain(RejectReason reason) { return {reason, MessageFor(reason)}; }

}  // namespace

AdmittedPlace::~AdmittedPlace() {
  if (admission_ != nullptr) admission_->Leave();
}

void Admission::SetLimits(const LimitsConfig& limits) {
  limits_ = limits;
  methods_.Set(limits.methods);
}

std::optional<AdmittedPlace> Admission::TryEnter(std::string_view method,
                                                 const OpenCount& connection, Rejection& why) {
  // Counted before anything is looked at: whoever waits for emptiness after Close either sees our
  // place taken or we see that it is closed.
  open_.fetch_add(1);
  const MethodLimits::Entry* entry = methods_.Find(method);
  if (auto reason = FindReason(entry, connection)) {
    Leave();
    why = *std::move(reason);
    return std::nullopt;
  }
  return AdmittedPlace(*this, connection, entry != nullptr ? entry->open : nullptr);
}

// The narrowest cap is told: whoever reaches it has not filled the wider ones alone.
std::optional<Rejection> Admission::FindReason(const MethodLimits::Entry* entry,
                                               const OpenCount& connection) const {
  if (closed_.load()) return Plain(RejectReason::kDraining);
  if (connection != nullptr && *connection >= limits_.streams_per_connection.value_or(INT64_MAX)) {
    return Rejection{RejectReason::kStreamsPerConnection,
                     fmt::format("lanekeeper: limits.streams_per_connection reached ({})",
                                 *limits_.streams_per_connection)};
  }
  if (entry != nullptr && *entry->open >= entry->open_rpcs_max) {
    return Rejection{RejectReason::kMethods,
                     fmt::format("lanekeeper: limits.methods[{}].open_rpcs reached ({} of '{}')",
                                 entry->index, entry->open_rpcs_max, entry->match)};
  }
  if (open_.load() > limits_.open_rpcs) return Plain(RejectReason::kOpenRpcs);
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
