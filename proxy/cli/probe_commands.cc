#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRequestTimeout{1500};
constexpr milliseconds kLookInterval{200};
constexpr size_t kReasonBytesMax = 200;

// The beginning of an answer's body, in one line.
std::string FirstLine(std::string_view body) {
  return Escape(body.substr(0, std::min(body.find('\n'), kReasonBytesMax)));
}

// The library's own words are "Connection" and "Read".
std::string WhyNoAnswer(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "cannot connect";
    case httplib::Error::Read:
      return "no answer";
    default:
      return httplib::to_string(error);
  }
}

// Why the answer is not good; nothing when it is.
std::optional<std::string> Probe(const ProbeOptions& options, milliseconds timeout) {
  httplib::Client client(options.metrics.host, options.metrics.port);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  const std::string path = options.live ? "/livez" : "/readyz";
  const std::string place =
      Escape(fmt::format("http://{}:{}{}", options.metrics.host, options.metrics.port, path));
  std::string body;
  const httplib::Result result = client.Get(path, [&body](const char* data, size_t size) {
    body.append(data, std::min(size, kReasonBytesMax - body.size()));
    return true;
  });
  if (!result) return fmt::format("{}: {}", place, WhyNoAnswer(result.error()));
  if (result->status == 200) return std::nullopt;
  return fmt::format("{}: {} {}", place, result->status, FirstLine(body));
}

}  // namespace

int CheckHealth(const ProbeOptions& options, Output& output) {
  const std::optional<std::string> why = Probe(options, kRequestTimeout);
  if (why) return output.Fail(*why);
  return 0;
}

int WaitForHealth(const ProbeOptions& options, milliseconds most, Output& output) {
  const auto end = steady_clock::now() + most;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    const std::optional<std::string> why =
        Probe(options, std::clamp(left, kLookInterval, kRequestTimeout));
    if (!why) return 0;
    if (steady_clock::now() + kLookInterval > end) {
      return output.Fail(fmt::format("not within {}: {}", FormatAge(most), *why));
    }
    std::this_thread::sleep_for(kLookInterval);
  }
}

}  // namespace lanekeeper
