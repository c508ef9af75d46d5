#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "proxy/cli/commands.h"
#include "proxy/cli/top_frame.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

// How many streams one look asks for, oldest first, and once more among the stuck ones alone: they
// must not be missed behind many that are well.
constexpr uint64_t kStreamsMax = 10000;

// The alternate screen, for as long as this lives.
class AlternateScreen {
 public:
  explicit AlternateScreen(Output& output) : output_(output) {
    output_.Write("\x1b[?1049h\x1b[?25l");
  }
  ~AlternateScreen() {
    output_.Write("\x1b[?25h\x1b[?1049l");
    output_.Flush();
  }
  AlternateScreen(const AlternateScreen&) = delete;
  AlternateScreen& operator=(const AlternateScreen&) = delete;

 private:
  Output& output_;
};

grpc::Status Look(AdminClient& client, v1::StreamFilter filter, TopView* view) {
  std::set<uint64_t> seen;
  const auto take = [&](const v1::ListStreamsResponse& page) {
    for (const v1::Stream& stream : page.streams()) {
      if (seen.insert(stream.id()).second) view->streams.push_back(stream);
    }
    view->totals = page.totals();
    return true;
  };
  const grpc::Status status = client.ForEachPage(filter, kStreamsMax, take);
  if (!status.ok() || filter.stuck() || view->totals.streams_matching() <= kStreamsMax) {
    return status;
  }
  filter.set_stuck(true);
  return client.ForEachPage(filter, kStreamsMax, take);
}

std::string Picture(const TopView& view, const Screen& screen) {
  std::string text = screen.is_terminal ? "\x1b[H" : "";
  const std::vector<std::string> lines = TopFrame(view, screen);
  for (size_t i = 0; i < lines.size(); ++i) {
    text += lines[i];
    if (screen.is_terminal) text += "\x1b[K";
    // A line end in the last line would scroll the first one away.
    if (!screen.is_terminal || i + 1 < lines.size()) text += "\n";
  }
  return text + (screen.is_terminal ? "\x1b[J" : "\n");
}

// Returns whether to go on: false when a stop was requested.
bool Pause(const std::stop_token& stop, std::chrono::milliseconds interval) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, interval, [] { return false; });
  return !stop.stop_requested();
}

grpc::Status Draw(AdminClient& client, const TopOptions& options, Output& output) {
  RateMeter meter;
  for (uint64_t drawn = 0;;) {
    TopView view{.address = client.address()};
    const grpc::Status status = Look(client, options.filter, &view);
    if (client.stop().stop_requested()) return grpc::Status::OK;
    if (!status.ok()) return status;
    view.rates = meter.Look(view.totals, std::chrono::steady_clock::now());
    SortByWait(&view.streams);
    const bool written = output.Write(Picture(view, output.LookAtScreen())) && output.Flush();
    if (!written || ++drawn == options.count) return grpc::Status::OK;
    if (!Pause(client.stop(), options.interval)) return grpc::Status::OK;
  }
}

}  // namespace

int Top(AdminClient& client, const TopOptions& options, Output& output) {
  grpc::Status status;
  {
    std::optional<AlternateScreen> screen;
    if (output.LookAtScreen().is_terminal) screen.emplace(output);
    status = Draw(client, options, output);
  }
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  return output.Finish(0);
}

}  // namespace lanekeeper
