// One OS thread of a crew, and its mailbox. Made and started by the thread whose turn it is; it
// works while it has the turn, and waits otherwise. Ends by itself after a while without an RPC, or
// when the crew ends; joined by the crew.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/threads/crew.h"
#include "proxy/threads/errand.h"

namespace lanekeeper {

class Crew::Thread final : public Mailbox, private RpcOwner {
 public:
  enum class Role { kAcceptor, kRpc };
  Thread(Crew& crew, Role role);
  ~Thread();

  // False when the system has no thread for us.
  bool Start();
  void Join() { pthread_join(thread_, nullptr); }

  // Where the crew has it.
  std::list<Thread>::iterator place() const { return place_; }
  void set_place(std::list<Thread>::iterator place) { place_ = place; }

  // Its turn begins; or, once the crew is stopping, its end.
  void Wake();

  // By the thread whose turn it is.
  bool idle() const { return role_ == Role::kRpc && !call_ && !rpc_open_; }
  void Take(IncomingCall call) { call_ = std::move(call); }

 private:
  static void* Main(void* self);
  void Run();
  // What comes after a turn, or after the wait for it.
  enum class Then { kWait, kWaitIdle, kTurn, kEnd };
  Then AwaitTurn();
  Then AwaitTurnIdle();
  bool WokenWithin(std::chrono::milliseconds time);
  Then TakeTurn();
  // Works until others wait for their turn and nothing is at hand.
  RpcLoop::Step Work();
  void Unpin();
  void Serve();
  void OnRpcEnded(Rpc& rpc) override;
  // When an idle thread does the next step of becoming so.
  gpr_timespec next_rest() const;
  void RestLonger();
  void Rename(std::string_view name);

  Crew& crew_;
  const Role role_;
  std::list<Thread>::iterator place_;
  pthread_t thread_{};
  sem_t wake_;
  int pinned_to_ = -1;  // a CPU; none: -1
  std::string name_;
  std::optional<IncomingCall> call_;  // not yet begun
  bool rpc_open_ = false;
  int turns_of_rpc_ = 0;
  bool woken_ = false;  // and has not yet begun its turn
  enum class Rest { kNone, kShort, kLong, kOver } rest_ = Rest::kNone;
  gpr_timespec rests_since_{};
};

}  // namespace lanekeeper
