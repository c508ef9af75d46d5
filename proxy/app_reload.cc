// Putting another configuration into use while the proxy runs.
#include <filesystem>
#include <future>
#include <memory>
#include <stdexcept>
#include <utility>

#include "proxy/app.h"
#include "proxy/app_rules.h"
#include "proxy/log/log_setup.h"

namespace lanekeeper {

std::optional<ReloadOutcome> App::Reload(const std::string& who) {
  TellServiceReloading();
  std::optional<ReloadOutcome> outcome = reloader_.Reload(who);
  TellServiceReady();
  return outcome;
}

// What may fail comes first: the files of TLS may be others than those that the configuration's own
// checks have seen. Then each value changes where it is read: what RPCs go by, on the loop's
// thread.
std::vector<std::string> App::Apply(const Config& before, const Config& after) {
  Listener::Change listeners = listener_.Prepare(after.listen);
  Channel::Change upstream;
  if (listeners.problems.empty()) OnLoop([&] { ReadTlsFiles(after, listeners, upstream); });
  if (!listeners.problems.empty()) return listeners.problems;
  metrics_.SetMaxMethods(after.metrics.max_methods);
  environment_.stall_rules.Set(StallRulesOf(after.stuck));
  stuck_detector_.Configure(after.stuck);
  ChangeLog(before.log, after.log);
  OnLoop([&] {
    listener_.Apply(std::move(listeners));
    WatchFile(after.reload.watch);
    registry_.admission().SetLimits(after.limits);
    worker_.loop().buffers().budget().SetLimit(after.limits.buffered_bytes);
    environment_.rules = RpcRulesOf(after);
    listener_.SetRules(RequestRulesOf(after), HeaderListBytesMax(after.limits));
    channel_.Configure(std::move(upstream), after.limits.upstream_waiting,
                       HeaderListBytesMax(after.limits));
  });
  return {};
}

// Of both sides; all problems are put among the listeners'. What was read must end on the loop's
// thread, too.
void App::ReadTlsFiles(const Config& config, Listener::Change& listeners,
                       Channel::Change& upstream) {
  listener_.ReadFiles(listeners);
  try {
    upstream = channel_.Prepare(config.upstream);
  } catch (const std::runtime_error& error) {
    listeners.problems.emplace_back(error.what());
  }
  if (listeners.problems.empty()) return;
  listeners.listening.clear();
  upstream = {};
}

void App::WatchFile(bool watch) {
  if (watch == config_watch_.has_value() || config_path_.empty()) return;
  if (watch)
    config_watch_.emplace(worker_.loop(), std::vector<std::filesystem::path>{config_path_},
                          request_reload_);
  else
    config_watch_.reset();
}

// The loop runs: no reload begins before it does, and a drain, which comes before its end, waits
// for one that is under way.
void App::OnLoop(std::function<void()> work) {
  const auto done = std::make_shared<std::promise<void>>();
  worker_.loop().Post([&work, done] {
    work();
    done->set_value();
  });
  done->get_future().wait();
}

}  // namespace lanekeeper
