#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"
#include "proxy/base/file.h"
#include "proxy/base/words.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/format.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;
using Effect = v1::ConfigChange::Effect;

constexpr Names<Effect, 4> kEffects = {{{"at once", v1::ConfigChange::AT_ONCE},
                                        {"new RPCs", v1::ConfigChange::NEW_RPCS},
                                        {"new connections", v1::ConfigChange::NEW_CONNECTIONS},
                                        {"restart", v1::ConfigChange::RESTART}}};

using Row = std::array<std::string, 4>;

std::string ChangeTable(const v1::ReloadResponse& answer) {
  std::vector<Row> rows = {{"KEY", "BEFORE", "AFTER", "EFFECT"}};
  for (const v1::ConfigChange& change : answer.changes()) {
    rows.push_back({Escape(change.key()), change.has_before() ? Escape(change.before()) : "-",
                    change.has_after() ? Escape(change.after()) : "-",
                    std::string(NameOf(kEffects, change.effect()))});
  }
  std::array<size_t, 3> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& [key, before, after, effect] : rows) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", key, widths[0], before, widths[1], after,
                        widths[2], effect);
  }
  return text;
}

std::string Summary(const v1::ReloadResponse& answer, bool dry_run) {
  const auto changes = static_cast<uint64_t>(answer.changes_size());
  const auto restarts = std::count_if(
      answer.changes().begin(), answer.changes().end(),
      [](const auto& change) { return change.effect() == v1::ConfigChange::RESTART; });
  std::string text = dry_run ? "would reload: " : "reloaded: ";
  text += changes == 0 ? "nothing differs" : Counted(changes, "change");
  if (restarts > 0) text += fmt::format(", {} only with a restart", restarts);
  return text + "\n";
}

}  // namespace

int Reload(AdminClient& client, const ReloadOptions& options, Output& output) {
  v1::ReloadRequest request;
  request.set_dry_run(options.dry_run);
  if (!options.file.empty()) {
    std::string why = "cannot be read: it is empty";
    std::optional<std::string> text = ReadFile(options.file, kConfigBytesMax, &why);
    if (!text || text->empty()) return output.Fail(Escape(options.file) + " " + why);
    request.set_yaml(*std::move(text));
    request.set_name(options.file);
  }
  v1::ReloadResponse answer;
  const grpc::Status status = client.Call(&AdminStub::Reload, request, &answer);
  if (!status.ok()) return output.Fail(client.WhyFailed(status));
  for (const std::string& problem : answer.problems()) output.Fail(Escape(problem));
  if (answer.problems_size() > 0) return output.Finish(1);
  if (answer.changes_size() > 0) output.Write(ChangeTable(answer));
  output.Write(Summary(answer, options.dry_run));
  return output.Finish(0);
}

}  // namespace lanekeeper
