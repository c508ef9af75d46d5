#include <fmt/format.h>

#include <thread>

#include "proxy/base/proto.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

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

int FailNotOpen(uint64_t id, Output& output) {
  return output.Fail(fmt::format("no stream {} is open", id));
}

std::string TableLines(const v1::ListStreamsResponse& page, bool titles, StreamTable* table) {
  std::string text;
  const auto add = [&text](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) text += line + "\n";
  };
  for (const v1::Stream& stream : page.streams()) table->Measure(stream);
  if (titles) add(table->Titles());
  for (const v1::Stream& stream : page.streams()) add(table->Row(stream));
  return text;
}

std::string TotalsLine(uint64_t shown, const v1::Totals& totals) {
  return fmt::format("{} of {} shown; {}; {}\n", shown, totals.streams_matching(),
                     OpenStreamsText(totals), FanInText(totals));
}

}  // namespace

int ListStreams(AdminClient& client, const StreamsOptions& options, Output& output) {
  StreamTable table(output.LookAtScreen());
  uint64_t shown = 0;
  v1::Totals totals;
  const auto print = [&](const v1::ListStreamsResponse& page) {
    const bool first = shown == 0;
    shown += page.streams_size();
    totals = page.totals();
    return output.Write(options.json ? ToJsonLines(page) : TableLines(page, first, &table));
  };
  const grpc::Status status = client.ForEachPage(options.filter, options.limit, print);
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  if (!options.json) output.Write(TotalsLine(shown, totals));
  return output.Finish(0);
}

int ShowStream(AdminClient& client, uint64_t id, bool json, Output& output) {
  v1::GetStreamRequest request;
  request.set_id(id);
  v1::Stream stream;
  const grpc::Status status = client.Call(&AdminStub::GetStream, request, &stream);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return FailNotOpen(id, output);
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  output.Write(json ? ToJsonLine(stream) : StreamDetails(stream));
  return output.Finish(0);
}

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
      code = FailNotOpen(id, output);
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
