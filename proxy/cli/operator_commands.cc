#include "proxy/cli/operator_commands.h"

#include <fmt/format.h>

#include <csignal>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "config/names.h"
#include "proxy/base/signals.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/option_types.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;

// As the API has it.
constexpr size_t kReasonBytesMax = 200;
constexpr milliseconds kIntervalMin{100};

// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, for commands that have a screen to give
// back or a call to cancel. Blocks them in the calling thread and all it starts from now on, so
// make it before any other thread; owns the thread that takes them, and ends it.
class StopSignals {
 public:
  StopSignals()
      : signals_({SIGINT, SIGTERM, SIGHUP}), thread_([this] {
          signals_.Wait();
          source_.request_stop();
        }) {}
  ~StopSignals() {
    signals_.Wake();
    thread_.join();
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  Signals signals_;
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace

// Filled by the parser; each command runs at most once, so that they can share what is alike.
struct OperatorCommands::Options {
  std::string admin;
  StreamsOptions streams;
  std::optional<uint64_t> id;
  TopOptions top;
  WatchOptions watch;
  std::vector<uint64_t> ids;
  std::string reason;
  bool wait_until_gone = false;
  ReloadOptions reload;
  std::string level;
  ProbeOptions probe;
  milliseconds wait_max{std::chrono::seconds(30)};
};

OperatorCommands::OperatorCommands(CLI::App& cli) : options_(std::make_unique<Options>()) {
  AddLooks(cli);
  AddChanges(cli);
  AddProbes(cli);
}

OperatorCommands::~OperatorCommands() = default;

CLI::App& OperatorCommands::Add(CLI::App& cli, const char* name, const char* what,
                                const char* example, Command command) {
  CLI::App* added = cli.add_subcommand(name, what);
  added->footer(fmt::format("Example:\n  lanekeeper {}", example));
  commands_.emplace_back(added, std::move(command));
  return *added;
}

void OperatorCommands::AddLooks(CLI::App& cli) {
  Options& o = *options_;
  CLI::App& streams = Add(cli, "streams", "List the open streams of a running lanekeeper",
                          "streams --stuck --min-age 30s", [&o](Output& output) {
                            AdminClient client(o.admin);
                            if (o.id) return ShowStream(client, *o.id, o.streams.json, output);
                            return ListStreams(client, o.streams, output);
                          });
  const CLI::Option* id = AddId(streams, &o.id, "Show this one in full");
  std::vector<CLI::Option*> narrowing = AddFilter(streams, &o.streams.filter);
  narrowing.push_back(AddCount(streams, "--limit", &o.streams.limit, "Show so many at most"));
  // Not CLI11's excludes(), which fills the help with itself.
  streams.final_callback([id, narrowing] {
    for (const CLI::Option* option : narrowing) {
      if (id->count() > 0 && option->count() > 0) {
        throw CLI::ExcludesError("ID", option->get_name());
      }
    }
  });
  streams.add_flag("--json", o.streams.json, "One JSON object a line for each stream");
  AddAdminAddress(streams, &o.admin);

  CLI::App& top = Add(cli, "top", "Show the open streams live, those that wait longest first",
                      "top --method Orders/", [&o](Output& output) {
                        const StopSignals signals;
                        AdminClient client(o.admin, signals.token());
                        return Top(client, o.top, output);
                      });
  AddFilter(top, &o.top.filter);
  AddDuration(top, "--interval", &o.top.interval, "Between two looks", kIntervalMin);
  AddCount(top, "--count", &o.top.count, "End after so many looks");
  AddAdminAddress(top, &o.admin);

  CLI::App& watch = Add(cli, "watch", "Print what happens to the streams, one event a line",
                        "watch --stuck --json", [&o](Output& output) {
                          const StopSignals signals;
                          AdminClient client(o.admin, signals.token());
                          return WatchStreams(client, o.watch, output);
                        });
  AddFilter(watch, &o.watch.filter);
  AddDuration(watch, "--interval", &o.watch.interval, "Between two looks of the daemon",
              kIntervalMin);
  watch.add_flag("--json", o.watch.json, "One JSON object a line for each event");
  AddAdminAddress(watch, &o.admin);
}

void OperatorCommands::AddChanges(CLI::App& cli) {
  Options& o = *options_;
  CLI::App& cancel = Add(cli, "cancel", "End streams with CANCELLED on both sides",
                         "cancel 6 --reason \"holds the others up\"", [&o](Output& output) {
                           AdminClient client(o.admin);
                           return CancelStreams(client, o.ids, o.reason, output);
                         });
  AddIds(cancel, &o.ids, "Which ones, as `lanekeeper streams` names them")->required();
  cancel.add_option("--reason", o.reason, "For the log and the status message")
      ->type_name("TEXT")
      ->check([](const std::string& reason) {
        return reason.size() > kReasonBytesMax ? "must not be longer than 200 bytes" : "";
      });
  AddAdminAddress(cancel, &o.admin);

  CLI::App& drain = Add(cli, "drain", "Let open RPCs finish, then end the daemon, as SIGTERM does",
                        "drain --wait", [&o](Output& output) {
                          AdminClient client(o.admin);
                          return Drain(client, o.wait_until_gone, output);
                        });
  drain.add_flag("--wait", o.wait_until_gone, "Return when the daemon has gone");
  AddAdminAddress(drain, &o.admin);

  CLI::App& reload =
      Add(cli, "reload", "Make the daemon read its configuration again, as SIGHUP does",
          "reload --dry-run new.yaml", [&o](Output& output) {
            AdminClient client(o.admin);
            return Reload(client, o.reload, output);
          });
  CLI::Option* dry_run =
      reload.add_flag("--dry-run", o.reload.dry_run, "Only tell what would change, and when");
  reload
      .add_option("FILE", o.reload.file, "With --dry-run: this file in place of the daemon's own")
      ->type_name("")
      ->needs(dry_run);
  AddAdminAddress(reload, &o.admin);

  CLI::App& loglevel = Add(cli, "loglevel", "Set what the daemon logs, until it is restarted",
                           "loglevel debug", [&o](Output& output) {
                             AdminClient client(o.admin);
                             return SetLogLevel(client, o.level, output);
                           });
  std::vector<std::string> levels;
  for (const auto& [name, level] : kLogLevels) levels.emplace_back(name);
  loglevel.add_option("LEVEL", o.level, ChoicesOf(kLogLevels))
      ->required()
      ->type_name("")
      ->check(CLI::IsMember(levels).description(""));
  AddAdminAddress(loglevel, &o.admin);
}

void OperatorCommands::AddProbes(CLI::App& cli) {
  Options& o = *options_;
  CLI::App& health = Add(cli, "health", "Ask once whether the daemon is ready: exit code 0 or 1",
                         "health", [&o](Output& output) { return CheckHealth(o.probe, output); });
  CLI::App& wait = Add(cli, "wait", "Wait until the daemon is ready", "wait --max 1m",
                       [&o](Output& output) { return WaitForHealth(o.probe, o.wait_max, output); });
  AddDuration(wait, "--max", &o.wait_max, "Give up after so long, with exit code 1");
  for (CLI::App* command : {&health, &wait}) {
    command->add_flag("--live", o.probe.live, "Ask /livez, whether it runs, instead of /readyz");
    AddMetricsAddress(*command, &o.probe.metrics);
  }
}

const OperatorCommands::Command* OperatorCommands::Given() const {
  for (const auto& [app, command] : commands_) {
    if (app->parsed()) return &command;
  }
  return nullptr;
}

bool OperatorCommands::given() const { return Given() != nullptr; }

int OperatorCommands::Run(Output& output) const {
  // A reader that goes away is seen by the writes, which then end the command quietly.
  std::signal(SIGPIPE, SIG_IGN);
  return (*Given())(output);
}

}  // namespace lanekeeper
