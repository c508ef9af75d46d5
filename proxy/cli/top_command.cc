#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "proxy/base/proto.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"
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
  grpc::Status status = client.ForEachPage(filter, kStreamsMax, take);
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
    grpc::Status status = Look(client, options.filter, &view);
    if (client.stop().stop_requested()) return grpc::Status::OK;
    if (!status.ok()) return status;
    view.rates = meter.Look(view.totals, std::chrono::steady_clock::now());
    SortByWait(&view.streams);
    const bool written = output.Write(Picture(view, output.LookAtScreen())) && output.Flush();
    if (!written || ++drawn == options.count) return grpc::Status::OK;
    if (!Pause(client.stop(), options.interval)) return grpc::Status::OK;
  }
}

enum class Urgency { kStuck, kNotTaken, kIdle };

// What the wait is, and how long it has lasted, the longest first.
using Rank = std::tuple<Urgency, std::chrono::nanoseconds>;

Rank RankOf(const v1::Lane& lane) {
  const std::chrono::nanoseconds lasted = FromProto(lane.state_for());
  switch (lane.state()) {
    case v1::Lane::SENDING:
    case v1::Lane::WAITING:
      return {Urgency::kNotTaken, -lasted};
    case v1::Lane::RECEIVING:
      return {Urgency::kIdle, -lasted};
    default:
      return {Urgency::kIdle, {}};
  }
}

Rank RankOf(const v1::Stream& stream) {
  if (stream.has_stall()) return {Urgency::kStuck, -FromProto(stream.stall().lasted())};
  return std::min(RankOf(stream.to_upstream()), RankOf(stream.to_downstream()));
}

std::string RatesText(const std::optional<Rates>& rates) {
  if (!rates) return "per second: at the second look";
  const auto bytes = [](double value) { return FormatBytes(static_cast<uint64_t>(value)); };
  return fmt::format(
      "per second: {:.0f} RPCs; to_upstream {:.0f} msg {}; to_downstream {:.0f} msg {}",
      rates->rpcs, rates->messages_to_upstream, bytes(rates->bytes_to_upstream),
      rates->messages_to_downstream, bytes(rates->bytes_to_downstream));
}

std::vector<std::string> Header(const TopView& view) {
  const std::string upstream = Escape(view.totals.upstream_address());
  return {
      fmt::format("lanekeeper at {}, upstream {}", Escape(view.address), upstream),
      FanInText(view.totals),
      OpenStreamsText(view.totals),
      RatesText(view.rates),
      "",
  };
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

std::optional<Rates> RateMeter::Look(const v1::Totals& totals,
                                     std::chrono::steady_clock::time_point when) {
  const std::optional<v1::Totals> before = std::exchange(before_, totals);
  const std::chrono::duration<double> passed = when - std::exchange(before_when_, when);
  if (!before || passed.count() <= 0) return std::nullopt;

  bool backwards = false;
  const auto rate = [&](uint64_t earlier, uint64_t later) {
    backwards = backwards || later < earlier;
    return static_cast<double>(later - earlier) / passed.count();
  };
  const Rates rates = {
      rate(before->rpcs_started(), totals.rpcs_started()),
      rate(before->messages_to_upstream(), totals.messages_to_upstream()),
      rate(before->messages_to_downstream(), totals.messages_to_downstream()),
      rate(before->bytes_to_upstream(), totals.bytes_to_upstream()),
      rate(before->bytes_to_downstream(), totals.bytes_to_downstream()),
  };
  if (backwards) return std::nullopt;
  return rates;
}

void SortByWait(std::vector<v1::Stream>* streams) {
  std::stable_sort(streams->begin(), streams->end(),
                   [](const v1::Stream& a, const v1::Stream& b) { return RankOf(a) < RankOf(b); });
}

std::vector<std::string> TopFrame(const TopView& view, const Screen& screen) {
  std::vector<std::string> lines = Header(view);
  for (std::string& line : lines) line = CutRight(line, screen.width);

  // Each takes a line at least: the others would not fit, so they do not widen the columns either.
  const size_t most = std::min(screen.height, view.streams.size());
  StreamTable table(screen);
  for (size_t i = 0; i < most; ++i) table.Measure(view.streams[i]);
  std::ranges::move(table.Titles(), std::back_inserter(lines));
  for (size_t i = 0; i < most; ++i) {
    std::vector<std::string> row = table.Row(view.streams[i]);
    if (lines.size() + row.size() > screen.height) break;
    std::ranges::move(row, std::back_inserter(lines));
  }
  lines.resize(std::min(lines.size(), screen.height));
  return lines;
}

}  // namespace lanekeeper
