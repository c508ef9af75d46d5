#include "proxy/cli/top_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "proxy/base/proto.h"
#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

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

std::optional<Rates> RateMeter::Look(const admin::v1::Totals& totals,
                                     std::chrono::steady_clock::time_point when) {
  const std::optional<admin::v1::Totals> before = std::exchange(before_, totals);
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
