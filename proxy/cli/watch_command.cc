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

// Tells when whoever reads a pipe has gone (`| head`), also while nothing is written to it. Owns
// the thread that looks, which calls back once at most and has ended when the destructor returns.
class ReaderWatch {
 public:
  // A descriptor that has no reader, a file's for one, never loses it.
  ReaderWatch(int descriptor, std::function<void()> gone) : ending_(eventfd(0, EFD_CLOEXEC)) {
    if (!ending_) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread([this, descriptor, gone = std::move(gone)] { Look(descriptor, gone); });
  }
  ~ReaderWatch() {
    eventfd_write(ending_.get(), 1);
    thread_.join();
  }
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

 private:
  void Look(int descriptor, const std::function<void()>& gone) const {
    // Errors and hang-ups are told without being asked for; poll() skips a descriptor below 0.
    pollfd looks[] = {{.fd = descriptor}, {.fd = ending_.get(), .events = POLLIN}};
    while (poll(looks, std::size(looks), -1) < 0 && errno == EINTR) {
    }
    if ((looks[0].revents & (POLLERR | POLLHUP)) != 0) gone();
  }

  const Fd ending_;
  std::thread thread_;
};

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
