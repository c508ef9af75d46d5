// A well-behaved client beside hostile ones: a ping-pong stream that must not notice them.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {

class Neighbour {
 public:
  // Plays until it is stopped. Its own connection to the lab's route.
  explicit Neighbour(Lab& lab);
  ~Neighbour();

  // Whether it exchanges more messages after this moment.
  bool AwaitMore();
  // Ends its stream in order and fails the test when anything was lost.
  void Finish();

 private:
  void Play();

  static constexpr char kNeighbourPath[] = "/wire.Neighbour/PingPong";

  Connection connection_;
  const std::shared_ptr<Stream> stream_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> exchanged_{0};
  std::atomic<bool> lost_{false};
  std::thread playing_;
};

}  // namespace lanekeeper::testing::wire
