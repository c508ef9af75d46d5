#include "proxy/reload.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "proxy/log/log_event.h"

namespace lanekeeper {
namespace {

using prometheus::MetricType;
using std::chrono::milliseconds;

milliseconds Now() {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

// What has been read, beside what is in use.
ReloadOutcome OutcomeOf(const ConfigResult& read, const Config& in_use) {
  ReloadOutcome outcome;
  for (const ConfigProblem& problem : read.problems) outcome.problems.push_back(problem.ToString());
  if (read.config) outcome.changes = Diff(in_use, *read.config);
  outcome.result = !read.config              ? ReloadResult::kRefused
                   : outcome.changes.empty() ? ReloadResult::kUnchanged
                                             : ReloadResult::kApplied;
  return outcome;
}

void LogChange(const ConfigChange& change) {
  const bool restart = change.effect == ChangeEffect::kRestart;
  LogEvent(
      restart ? LogLevel::kWarn : LogLevel::kInfo,
      restart ? "configuration: this key changes with a restart only" : "configuration changed",
      [&](LogFields& fields) {
        fields.Add("key", change.key);
        if (change.before) fields.Add("before", *change.before);
        if (change.after) fields.Add("after", *change.after);
        fields.Add("effect", NameOf(kChangeEffects, change.effect));
      });
}

void LogOutcome(const ReloadOutcome& outcome, const std::string& who, const std::string& file) {
  for (const std::string& problem : outcome.problems) {
    LogEvent(LogLevel::kError, "configuration problem", {{"problem", problem}});
  }
  if (outcome.result == ReloadResult::kRefused) {
    return LogEvent(LogLevel::kError, "configuration not reloaded: the old one stays in use",
                    {{"asked_by", who}, {"file", file}, {"problems", outcome.problems.size()}});
  }
  for (const ConfigChange& change : outcome.changes) LogChange(change);
  LogEvent(LogLevel::kInfo, "configuration reloaded",
           {{"asked_by", who}, {"file", file}, {"changes", outcome.changes.size()}});
}

}  // namespace

Reloader::Reloader(const Config& config, std::optional<ConfigSource> source, Apply apply)
    : apply_(std::move(apply)), source_(std::move(source)), config_(config), read_at_(Now()) {}

Config Reloader::config() const {
  const std::lock_guard lock(config_mutex_);
  return config_;
}

std::optional<ReloadOutcome> Reloader::Reload(const std::string& who) {
  const std::lock_guard lock(reload_mutex_);
  if (closed_ || !source_) return std::nullopt;
  const ConfigResult read = source_->Load();
  const Config before = config();
  ReloadOutcome outcome = OutcomeOf(read, before);
  if (read.config) {
    const Config next = WithoutRestart(before, *read.config);
    for (const std::string& problem : apply_(before, next)) {
      outcome.problems.push_back(source_->path() + ": " + problem);
    }
    if (outcome.problems.empty()) {
      const std::lock_guard config_lock(config_mutex_);
      config_ = next;
    } else {
      outcome.result = ReloadResult::kRefused;
      outcome.changes.clear();
    }
  }
  LogOutcome(outcome, who, source_->path());
  Count(outcome.result);
  return outcome;
}

std::optional<ReloadOutcome> Reloader::Preview(const std::optional<ConfigText>& text) {
  const std::lock_guard lock(reload_mutex_);
  if (closed_ || !source_) return std::nullopt;
  return OutcomeOf(text ? source_->LoadText(text->yaml, text->name) : source_->Load(), config());
}

void Reloader::Close() {
  const std::lock_guard lock(reload_mutex_);
  closed_ = true;
}

void Reloader::Count(ReloadResult result) {
  counts_[static_cast<size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  const bool succeeded = result != ReloadResult::kRefused;
  if (succeeded) read_at_ = Now();
  last_succeeded_ = succeeded;
}

void Reloader::AddSources(Metrics& metrics) const {
  metrics.AddSource("lanekeeper_config_reload_success",
                    "1 if the configuration was good when it was read last, 0 if an older one is "
                    "still in use.",
                    MetricType::Gauge, [this] { return last_succeeded_.load() ? 1 : 0; });
  metrics.AddSource("lanekeeper_config_last_reload_timestamp_seconds",
                    "When the configuration in use was read, since the Unix epoch, in seconds.",
                    MetricType::Gauge,
                    [this] { return std::chrono::duration<double>(read_at_.load()).count(); });
  metrics.AddSource(
      {"lanekeeper_config_reloads_total",
       "Times that the configuration was read again, by what came of it.", MetricType::Counter,
       [this] {
         std::vector<Metrics::Sample> samples;
         for (const auto& [name, result] : kReloadResults) {
           const auto count = counts_[static_cast<size_t>(result)].load();
           samples.push_back({{{"result", std::string(name)}}, static_cast<double>(count)});
         }
         return samples;
       }});
}

}  // namespace lanekeeper
