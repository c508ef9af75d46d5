// A proxy that exists only for the admin server's tests: its streams are what the test says. Any
// thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/admin/control.h"

namespace lanekeeper::testing {

// With distinct values in every field.
StreamSnapshot SomeStream(StreamId id);

class FakeControl final : public Control {
 public:
  FakeControl();

  void Add(StreamSnapshot stream);
  void AddMany(size_t count);  // with ids from 1
  void Change(StreamId id, const std::function<void(StreamSnapshot&)>& change);
  void Remove(StreamId id);
  void RefuseDrain();
  void BeReadOnly() { config_.admin.read_only = true; }  // before the first call
  // What every reload comes to; nothing unless told.
  void ReloadTo(std::optional<ReloadOutcome> outcome);

  std::string cancel_reason() const;
  int drains() const;
  // Who asked for reloads, "preview" for a look, and the text that was sent.
  std::vector<std::string> reloads() const;
  int looks() const;  // calls of ListStreams so far

  StreamPage ListStreams(const StreamFilter& filter, StreamId after, size_t max) override;
  std::optional<StreamSnapshot> FindStream(StreamId id) override;
  std::optional<StreamSnapshot> CancelStream(StreamId id, const std::string& reason) override;
  adminpb::Totals Totals() override;
  bool RequestDrain() override;
  std::optional<ReloadOutcome> Reload(const std::string& who) override;
  std::optional<ReloadOutcome> PreviewReload(const std::optional<ConfigText>& text) override;
  Config config() const override { return config_; }
  std::chrono::system_clock::time_point started() const override;

 private:
  Config config_;
  mutable std::mutex mutex_;
  std::map<StreamId, StreamSnapshot> streams_;
  std::string cancel_reason_;
  bool can_drain_ = true;
  int drains_ = 0;
  std::optional<ReloadOutcome> outcome_;
  std::vector<std::string> reloads_;
  int looks_ = 0;
};

}  // namespace lanekeeper::testing
