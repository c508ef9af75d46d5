#include <fmt/format.h>

#include <thread>

#include "proxy/base/proto.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

constexpr std::chrono::milliseconds kLookInterval{200};
// Beyond drain.timeout, for the streams that it cancels and the threads that it ends.
constexpr std::chrono::seconds kEndingTime{10};

std::chrono::nanoseconds StartTime(const v1::GetVersionResponse& version) {
  return std::chrono::seconds(version.started().seconds()) +
         std::chrono::nanoseconds(version.started().nanos());
}

// Whether the process that was started then has gone; another at its address counts as that.
bool HasGone(AdminClient& client, const v1::GetVersionResponse& process) {
  v1::GetVersionResponse now;
  const grpc::Status status = client.Call(&AdminStub::GetVersion, {}, &now);
  if (status.ok()) return StartTime(now) != StartTime(process);
  return status.error_code() == grpc::StatusCode::UNAVAILABLE;
}

}  // namespace

int CancelStreams(AdminClient& client, const std::vector<uint64_t>& ids, const std::string& reason,
                  Output& output) {
  int code = 0;
  for (const uint64_t id : ids) {
    v1::CancelStreamRequest request;
    request.set_id(id);
    request.set_reason(reason);
    v1::CancelStreamResponse answer;
    const grpc::Status status = client.Call(&AdminStub::CancelStream, request, &answer);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND)
      code = output.Fail(fmt::format("no stream {} is open", id));
    else if (!status.ok())
      return output.Fail(client.WhyFailed(status));
    else
      output.Write(fmt::format("cancelled {} {}, open for {}\n", id,
                               Escape(answer.stream().method()), FormatAge(answer.stream().age())));
  }
  return output.Finish(code);
}

int Drain(AdminClient& client, bool wait, Output& output) {
  v1::GetVersionResponse process;
  v1::DrainResponse answer;
  grpc::Status status = client.Call(&AdminStub::GetVersion, {}, &process);
  if (status.ok()) status = client.Call(&AdminStub::Drain, {}, &answer);
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  output.Write(fmt::format("draining: {} open, {} at most\n",
                           Counted(answer.streams_open(), "stream"), FormatAge(answer.timeout())));
  output.Flush();
  if (!wait) return output.Finish(0);

  const std::chrono::nanoseconds bound = FromProto(answer.timeout()) + kEndingTime;
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!HasGone(client, process)) {
    if (std::chrono::steady_clock::now() > end) {
      return output.Fail(
          fmt::format("{} still runs after {}", Escape(client.address()), FormatAge(bound)));
    }
    std::this_thread::sleep_for(kLookInterval);
  }
  output.Write("gone\n");
  return output.Finish(0);
}

int SetLogLevel(AdminClient& client, const std::string& level, Output& output) {
  v1::SetLogLevelRequest request;
  request.set_level(level);
  v1::SetLogLevelResponse answer;
  const grpc::Status status = client.Call(&AdminStub::SetLogLevel, request, &answer);
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  output.Write(
      fmt::format("log level {}, was {}\n", Escape(answer.level()), Escape(answer.previous())));
  return output.Finish(0);
}

}  // namespace lanekeeper
