// A relay in front of a route that keeps what goes to the client, byte by byte: for what is on the
// wire but not in gRPC's API. Its threads run from construction to destruction; one connection.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/raw_http2.h"

namespace lanekeeper::testing {

class WireTap {
 public:
  // `target` as Route::target() tells it.
  explicit WireTap(const std::string& target);
  ~WireTap();

  std::string address() const { return listener_.address(); }
  // What has gone to the client so far.
  std::string to_downstream() const;

 private:
  void Relay();

  const std::string target_;
  RawListener listener_;
  mutable std::mutex mutex_;
  std::string to_downstream_;
  std::thread relaying_;
};

}  // namespace lanekeeper::testing
