// Looks names up without blocking the loop: getaddrinfo (nsswitch, search domains and all, as the
// system has them) on one helper thread, which it owns. Answers come on the loop's thread, never
// after the Resolver's end. A look-up cannot be interrupted: one that hangs when the Resolver ends
// is left to itself and touches nothing of ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/event_loop.h"
#include "proxy/net/socket_address.h"

namespace lanekeeper {

class Resolver {
 public:
  struct Answer {
    std::vector<SocketAddress> addresses;  // in the order to try them
    std::string error;                     // for people; empty if there are addresses
  };
  using Done = std::function<void(Answer)>;
  using LookUp = std::function<Answer(const std::string& host, uint16_t port)>;

  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(5);

  // getaddrinfo.
  static Answer LookUpBySystem(const std::string& host, uint16_t port);

  // Other look-ups are for tests.
  explicit Resolver(EventLoop& loop, LookUp look_up = &LookUpBySystem,
                    std::chrono::nanoseconds patience = kPatience);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // One question at a time; a new one replaces one that is under way. On the loop's thread, or
  // before it runs. `done` is not called from here, and may destroy the Resolver.
  void Resolve(std::string host, uint16_t port, Done done);

 private:
  struct Question {
    std::string host;
    uint16_t port = 0;
    bool operator==(const Question&) const = default;
  };
  struct Shared;

  void Ask();
  void OnAnswer(const Question& question, Answer answer);
  void OnTimer();

  EventLoop& loop_;
  const Instant patience_;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
  Question question_;  // the last one
  Done done_;          // null: has been answered
  bool late_ = false;  // the last question's time is over, its look-up is not
  // What came too late for the last question, and when; for the next one, if it is the same.
  std::optional<Answer> kept_;
  Instant kept_at_ = 0;
  TimerOf<Resolver, &Resolver::OnTimer> timer_;
};

}  // namespace lanekeeper
