#include "proxy/net/timers.h"

#include <algorithm>

namespace lanekeeper {

void Timer::Set(Instant due) {
  due_ = timers_.running_ == 0 ? due : std::max(due, timers_.running_ + 1);
  if (is_set()) {
    timers_.Up(index_);
    timers_.Down(index_);
    return;
  }
  timers_.heap_.push_back(this);
  index_ = timers_.heap_.size() - 1;
  timers_.Up(index_);
}

void Timer::Cancel() {
  if (is_set()) timers_.Remove(index_);
}

std::optional<Instant> Timers::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->due_;
}

void Timers::RunDue(Instant now) {
  running_ = now;
  while (!heap_.empty() && heap_.front()->due_ <= now) {
    Timer* due = heap_.front();
    Remove(0);
    due->OnDue();
  }
  running_ = 0;
}

void Timers::Up(size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (heap_[parent]->due_ <= timer->due_) break;
    Place(heap_[parent], index);
    index = parent;
  }
  Place(timer, index);
}

void Timers::Down(size_t index) {
  Timer* timer = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due_ < heap_[child]->due_) ++child;
    if (timer->due_ <= heap_[child]->due_) break;
    Place(heap_[child], index);
    index = child;
  }
  Place(timer, index);
}

void Timers::Remove(size_t index) {
  heap_[index]->index_ = Timer::kNone;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  Place(last, index);
  Up(index);
  Down(last->index_);
}

}  // namespace lanekeeper
