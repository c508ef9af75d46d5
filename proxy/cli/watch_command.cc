#include "proxy/cli/watch_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>

#include "proxy/cli/format.h"
#include "proxy/cli/json.h"
#include "proxy/cli/reader_watch.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

// The most that a daemon lets one watcher follow; beyond them it shows the oldest.
constexpr uint32_t kStreamsMax = 10000;

// "2026-11-22T09:00:01.123Z", as in the daemon's log.
std::string Now() {
  using namespace std::chrono;  // system_clock and milliseconds
  const auto now = system_clock::now().time_since_epoch();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(duration_cast<seconds>(now).count()),
                     duration_cast<milliseconds>(now).count() % 1000);
}

std::string JsonEvent(const std::string& time, const v1::StreamEvent& event) {
  return fmt::format(R"({{"time":"{}",{})", time, ToJsonLine(event).substr(1));
}

bool PrintEvents(const v1::WatchStreamsResponse& look, bool json, Output& output) {
  const std::string time = Now();
  for (const v1::StreamEvent& event : look.events()) {
    output.Write(json ? JsonEvent(time, event) : fmt::format("{} {}\n", time, EventText(event)));
  }
  return output.Flush();
}

}  // namespace

int WatchStreams(AdminClient& client, const WatchOptions& options, Output& output) {
  v1::WatchStreamsRequest request;
  *request.mutable_filter() = options.filter;
  *request.mutable_interval() = ToProto(options.interval);
  request.set_max_streams(kStreamsMax);

  grpc::ClientContext context;
  const std::stop_callback cancel(client.stop(), [&context] { context.TryCancel(); });
  if (const grpc::Status connected = client.Connect(); !connected.ok()) {
    return output.Fail(client.WhyFailed(connected));
  }
  const auto reader = client.Watch(&context, request);
  std::atomic<bool> unread = false;
  const ReaderWatch reader_watch(output.descriptor(), [&] {
    unread = true;
    context.TryCancel();
  });
  v1::WatchStreamsResponse look;
  while (reader->Read(&look)) {
    if (!PrintEvents(look, options.json, output)) context.TryCancel();
  }
  const grpc::Status status = reader->Finish();
  const bool asked_for = client.stop().stop_requested() || unread || !output.Flush();
  if (!status.ok() && !asked_for) return output.Fail(client.WhyFailed(status));
  return output.Finish(0);
}

}  // namespace lanekeeper
