#include <fmt/format.h>

#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"
#include "proxy/cli/stream_text.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

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
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return output.Fail(fmt::format("no stream {} is open", id));
  }
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  output.Write(json ? ToJsonLine(stream) : StreamDetails(stream));
  return output.Finish(0);
}

}  // namespace lanekeeper
