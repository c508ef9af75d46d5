// Something to be done, and the thread that has to do it. In kind `user` a loop does all its
// errands itself. In kind `kernel` each RPC has an OS thread with a mailbox, and whoever runs the
// loop puts into it what is that thread's to do (crew.h). An errand belongs to the thread that
// makes it. All of a loop's errands and mailboxes are touched only by the thread that runs the loop
// at the time.
#pragma once

#include "proxy/threads/link.h"

namespace lanekeeper {

// What is to be done by one thread; itself in the list of the mailboxes that are not empty.
class Mailbox : public Link {
 public:
  // That of the calling thread; null where the thread that runs the loop does everything itself.
  static Mailbox* OfThisThread() { return of_this_thread_; }

  bool empty() const { return errands_.alone(); }
  Link& errands() { return errands_; }

 protected:
  ~Mailbox() = default;

  void UseOnThisThread() { of_this_thread_ = this; }

 private:
  static inline thread_local Mailbox* of_this_thread_ = nullptr;

  Link errands_;  // oldest first
};

class Errand : public Link {
 public:
  // May destroy the errand.
  virtual void Do() = 0;
  // Of the thread that has to do it.
  Mailbox* mailbox() const { return mailbox_; }

 protected:
  Errand() : mailbox_(Mailbox::OfThisThread()) {}
  // Whatever list it is in, nobody does it any more.
  ~Errand() { Leave(); }

 private:
  Mailbox* const mailbox_;
};

}  // namespace lanekeeper
