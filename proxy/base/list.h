// A member of a circular list that it can leave by itself; alone, it points at itself. The head of
// a list is a Link like any other. Not thread-safe.
#pragma once

namespace lanekeeper {

struct Link {
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool alone() const { return next == this; }
  void Leave() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
  // At the end of the list that `head` is the head of. Must be alone.
  void Join(Link& head) {
    previous = head.previous;
    next = &head;
    previous->next = this;
    head.previous = this;
  }

  // All that is in the other head's list. Must be alone.
  void TakeAll(Link& other) {
    if (other.alone()) return;
    Join(other);
    other.Leave();
  }

  Link* previous = this;
  Link* next = this;
};

}  // namespace lanekeeper
