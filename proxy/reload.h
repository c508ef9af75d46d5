// The configuration that is in use, and putting another one in its place while the proxy runs. Owns
// both the values and the source they come from; applies nothing by itself. Any thread: one reload
// at a time, others wait for it. After Close there are none.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/config_source.h"
#include "config/diff.h"
#include "proxy/admin/control.h"
#include "proxy/observe/metrics.h"

namespace lanekeeper {

class Reloader {
 public:
  // Puts `after` in the place of `before`, which is in use; or changes nothing and says, in a line
  // for each, what is wrong with the machine (a port in use, say).
  using Apply = std::function<std::vector<std::string>(const Config& before, const Config& after)>;

  // Without a source nothing can be read again.
  Reloader(const Config& config, std::optional<ConfigSource> source, Apply apply);
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // What is in use. Never waits for a reload.
  Config config() const;

  // Reads the source and puts into use what needs no restart; a configuration with a problem
  // changes nothing. The log tells what came of it; `who` asked. Nothing is done without a source,
  // and after Close.
  std::optional<ReloadOutcome> Reload(const std::string& who);
  // What a Reload would do, of the source or of a text that was sent. Changes and logs nothing.
  std::optional<ReloadOutcome> Preview(const std::optional<ConfigText>& text);
  // Returns when a reload that is under way has ended.
  void Close();

  void AddSources(Metrics& metrics) const;

 private:
  void Count(ReloadResult result);

  const Apply apply_;
  std::mutex reload_mutex_;  // one reload at a time
  std::optional<ConfigSource> source_;
  bool closed_ = false;
  mutable std::mutex config_mutex_;
  Config config_;

  std::array<std::atomic<int64_t>, kReloadResults.size()> counts_{};
  std::atomic<bool> last_succeeded_{true};
  // Since the Unix epoch, when what is in use was read.
  std::atomic<std::chrono::milliseconds> read_at_;
};

}  // namespace lanekeeper
