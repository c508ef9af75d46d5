#include "proxy/rpc/admission.h"

#include <fmt/format.h>

namespace lanekeeper {
namespace {

Rejection Plain(RejectReason reason) { return {reason, MessageFor(reason)}; }

}  // namespace

AdmittedPlace::~AdmittedPlace() {
  if (admission_ == nullptr) return;
  if (state_ == State::kEntered) {
    --admission_->entered_;
    admission_->ServeQueue();
  }
  GiveUp();
  admission_->Leave();
}

void AdmittedPlace::Queue(PlaceObserver& observer) {
  observer_ = &observer;
  Join(admission_->queue_);
}

std::chrono::nanoseconds AdmittedPlace::queue_timeout() const {
  return admission_->queue_timeout();
}

void AdmittedPlace::GiveUp() {
  if (!waits()) return;
  Link::Leave();
  state_ = State::kGaveUp;
  admission_->waiting_.fetch_sub(1, std::memory_order_relaxed);
}

void Admission::SetLimits(const LimitsConfig& limits) {
  limits_ = limits;
  methods_.Set(limits.methods);
  ServeQueue();
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
  const bool waits = full();
  if (waits)
    waiting_.fetch_add(1, std::memory_order_relaxed);
  else
    ++entered_;
  return AdmittedPlace(*this, waits ? AdmittedPlace::State::kWaits : AdmittedPlace::State::kEntered,
                       connection, entry != nullptr ? entry->open : nullptr);
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
  if (!full()) return std::nullopt;
  if (limits_.queue.length == 0) return Plain(RejectReason::kOpenRpcs);
  if (waiting() >= limits_.queue.length) return Plain(RejectReason::kQueueFull);
  return std::nullopt;
}

void Admission::ServeQueue() {
  while (!queue_.alone() && entered_ < limits_.open_rpcs) {
    auto& place = static_cast<AdmittedPlace&>(*queue_.next);
    place.Link::Leave();
    place.state_ = AdmittedPlace::State::kEntered;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    ++entered_;
    place.observer_->OnPlace();
  }
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
