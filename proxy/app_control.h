// The proxy as the control address sees it: lists, totals, cancels. Owned by the App, whose parts
// it borrows. Any thread; takes the registry's locks for moments only.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "config/config.h"
#include "proxy/admin/control.h"
#include "proxy/app_parts.h"

namespace lanekeeper {

class AppControl final : public Control {
 public:
  // request_drain may be empty: then nobody listens to that.
  AppControl(const AppParts& parts, std::function<void()> request_drain);

  StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) override;
  std::optional<StreamSnapshot> FindStream(StreamId id) override;
  std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) override;
  StreamTotals Totals() override;
  bool RequestDrain() override;
  const Config& config() const override { return parts_.config; }
  std::chrono::system_clock::time_point started() const override { return started_; }

 private:
  void NameWindowHolders(StreamSnapshot& stream) const;

  const AppParts parts_;
  const std::function<void()> request_drain_;
  std::atomic<bool> drain_requested_{false};
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

}  // namespace lanekeeper
