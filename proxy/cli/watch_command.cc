#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <system_error>
#include <thread>

#include "proxy/base/fd.h"
#include "proxy/base/proto.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

// The most that a daemon lets one watcher follow; beyond them it shows the oldest.
constexpr uint32_t kStreamsMax = 10000;

// Calls back, once, when whoever reads a pipe has gone (`| head`), also while nothing is written to
// it. A descriptor that has no reader, a file's for one, never loses it. Until the thread is told
// to stop, as its destructor does.
std::jthread WatchReader(int descriptor, std::function<void()> gone) {
  Fd made(eventfd(0, EFD_CLOEXEC));
  if (!made) throw std::system_error(errno, std::generic_category(), "eventfd");
  return std::jthread(
      [descriptor, gone = std::move(gone), ending = std::move(made)](const std::stop_token& stop) {
        const std::stop_callback end(stop, [&ending] { eventfd_write(ending.get(), 1); });
        // Errors and hang-ups are told without being asked for; poll() skips a descriptor below 0.
        pollfd looks[] = {{.fd = descriptor}, {.fd = ending.get(), .events = POLLIN}};
        while (poll(looks, std::size(looks), -1) < 0 && errno == EINTR) {
        }
        if ((looks[0].revents & (POLLERR | POLLHUP)) != 0) gone();
      });
}

// "2026-11-22T09:00:01.123Z", as in the daemon's log.
std::string Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(ms / 1000), ms % 1000);
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
  const std::jthread reader_watch = WatchReader(output.descriptor(), [&] {
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
