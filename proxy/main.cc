// Flags, configuration, App, exit code: the life of the process.
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "config/config_source.h"
#include "config/load.h"
#include "config/names.h"
#include "proxy/app.h"
#include "proxy/base/signals.h"
#include "proxy/cli/operator_commands.h"
#include "proxy/demo/demo.h"
#include "proxy/http2/version.h"
#include "proxy/log/log_setup.h"
#include "proxy/version.h"

namespace lanekeeper {
namespace {

constexpr int kExitRuntime = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfig = 78;  // EX_CONFIG of sysexits.h
// For the log, when the process is told to end at once.
constexpr std::chrono::milliseconds kLogExitBound{500};

struct Options {
  std::string config_path = "/etc/lanekeeper/config.yaml";
  bool check = false;
  bool print_config = false;
  std::optional<LogLevel> log_level;
  std::optional<LogFormat> log_format;
};

// As many file descriptors as the system lets the process have: every connection needs one.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string NameOf(int signal) {
  if (signal == Signals::kWoken) return "asked at the control address";
  return fmt::format("received {}", strsignal(signal));
}

[[noreturn]] void EndAtOnce(int signal) {
  spdlog::warn("{}: ending at once", NameOf(signal));
  FlushLog(kLogExitBound);
  std::_Exit(0);
}

// The second signal ends the process at once. A drain that was asked for at the control address is
// none: the first SIGTERM is still to come from whoever runs the process.
void EndAtNextSignal(Signals& signals, bool told) {
  std::thread([&signals, told]() mutable {
    for (;;) {
      const int next = signals.Wait();
      if (next == Signals::kWoken || next == Signals::kWokenByFile || next == SIGHUP) continue;
      if (told) EndAtOnce(next);
      told = true;
      spdlog::info("{}: draining already", NameOf(next));
    }
  }).detach();
}

// Reads the configuration again whenever that is asked for. Returns what asks for an end.
int ServeUntilToldToEnd(const Signals& signals, App& app) {
  for (;;) {
    const int signal = signals.Wait();
    if (signal == SIGHUP)
      app.Reload("SIGHUP");
    else if (signal == Signals::kWokenByFile)
      app.Reload("a change of the file");
    else
      return signal;
  }
}

int Serve(const Config& config, ConfigSource source) {
  // Lives as long as the process: a thread waits on it to the end.
  auto& signals = *new Signals({SIGTERM, SIGINT, SIGHUP});
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is told by the write
  RaiseDescriptorLimit();
  const LogSession log = SetUpLog(config.log);
  spdlog::info("lanekeeper {} (gRPC {}, nghttp2 {})", kVersion, grpc::Version(), Nghttp2Version());

  std::optional<App> app;
  try {
    app.emplace(config,
                AppHooks{.request_drain = [&signals] { signals.Wake(); },
                         .source = std::move(source),
                         .request_reload = [&signals] { signals.Wake(Signals::kWokenByFile); }});
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return kExitRuntime;
  }
  const int signal = ServeUntilToldToEnd(signals, *app);
  spdlog::info("{}: draining, {} RPCs open, {} ms at most", NameOf(signal), app->registry().open(),
               app->config().drain.timeout.count());
  EndAtNextSignal(signals, signal != Signals::kWoken);
  const size_t cancelled = app->Drain();
  if (cancelled > 0) spdlog::warn("drain.timeout passed: cancelled {} RPCs", cancelled);
  app.reset();
  spdlog::info("ended");
  return 0;
}

// The flags win over all others.
Origins OriginsOf(const ConfigResult& result, const Options& options) {
  Origins origins = result.origins;
  if (options.log_level) origins["log.level"] = "--log-level";
  if (options.log_format) origins["log.format"] = "--log-format";
  return origins;
}

int RunDaemon(const Options& options) {
  ConfigSource source(options.config_path, ProcessEnvironment(), [&options](Config& config) {
    if (options.log_level) config.log.level = *options.log_level;
    if (options.log_format) config.log.format = *options.log_format;
  });
  const ConfigResult result = source.Load();
  if (!result.config) {
    for (const ConfigProblem& problem : result.problems) {
      fmt::print(stderr, "{}\n", problem.ToString());
    }
    return kExitConfig;
  }
  const Config& config = *result.config;
  if (options.print_config) fmt::print("{}", PrintConfig(config, OriginsOf(result, options)));
  if (options.check && !options.print_config) fmt::print("{}: ok\n", options.config_path);
  if (options.check || options.print_config) return 0;
  return Serve(config, std::move(source));
}

template <class Enum, size_t kCount>
std::map<std::string, Enum> ValuesByName(const Names<Enum, kCount>& names) {
  std::map<std::string, Enum> values;
  for (const auto& [name, value] : names) values.emplace(name, value);
  return values;
}

// CLI11 would show the numbers of the enum.
template <class Enum, size_t kCount>
void AddChoice(CLI::App& cli, const std::string& name, std::optional<Enum>* out, const char* type,
               std::string_view key, const Names<Enum, kCount>& names) {
  cli.add_option(name, *out, fmt::format("In place of {}: {}", key, ChoicesOf(names)))
      ->transform(CLI::CheckedTransformer(ValuesByName(names)).description(""))
      ->type_name(type);
}

int Main(int argc, char** argv) {
  CLI::App cli("lanekeeper: a sidecar that forwards gRPC over one shared upstream channel",
               "lanekeeper");
  cli.footer("Example:\n  lanekeeper --check --config /etc/lanekeeper/config.yaml");
  cli.set_version_flag("--version",
                       fmt::format("lanekeeper {} (revision {}, gRPC {}, nghttp2 {})", kVersion,
                                   kRevision, grpc::Version(), Nghttp2Version()));
  Options options;
  cli.add_option("--config", options.config_path, "Configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  cli.add_flag("--check", options.check, "Check the configuration and exit: 0 good, 78 not");
  cli.add_flag("--print-config", options.print_config,
               "Print the whole configuration and where each value comes from, and exit");
  AddChoice(cli, "--log-level", &options.log_level, "LEVEL", "log.level", kLogLevels);
  AddChoice(cli, "--log-format", &options.log_format, "FORMAT", "log.format", kLogFormats);

  std::string demo_listen = "127.0.0.1:0";
  CLI::App* demo = cli.add_subcommand("demo", "Run a demonstration upstream: echo and route guide");
  demo->add_option("--listen", demo_listen, "Where it listens; port 0 picks one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  demo->footer("Example:\n  lanekeeper demo --listen 127.0.0.1:50052");

  DemoClientsOptions clients;
  CLI::App* demo_clients = cli.add_subcommand(
      "demo-clients", "Drive many client connections against a target and check every answer");
  demo_clients->add_option("--target", clients.target, "What to dial")
      ->type_name("HOST:PORT")
      ->required();
  demo_clients->add_option("--connections", clients.connections, "Separate client connections")
      ->type_name("N")
      ->capture_default_str();
  demo_clients->add_option("--rpcs", clients.rpcs_per_connection, "RPCs over each connection")
      ->type_name("N")
      ->capture_default_str();
  demo_clients
      ->add_option("--metrics", clients.metrics_url, "lanekeeper's metrics, for the summary")
      ->type_name("HOST:PORT");
  demo_clients->footer("Example:\n  lanekeeper demo-clients --target 127.0.0.1:50051");

  std::string streams_target;
  CLI::App* demo_streams = cli.add_subcommand(
      "demo-streams", "Keep some streams open to be looked at: moving, unread, unanswered");
  demo_streams->add_option("--target", streams_target, "What to dial")
      ->type_name("HOST:PORT")
      ->required();
  demo_streams->footer("Example:\n  lanekeeper demo-streams --target 127.0.0.1:50051");
  const OperatorCommands operator_commands(cli);
  cli.require_subcommand(0, 1);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (*demo) return RunDemoUpstream(demo_listen);
  if (*demo_clients) return RunDemoClients(clients);
  if (*demo_streams) return RunDemoStreams(streams_target);
  if (operator_commands.given()) {
    RaiseDescriptorLimit();
    Output output(stdout, stderr);
    return operator_commands.Run(output);
  }
  return RunDaemon(options);
}

}  // namespace
}  // namespace lanekeeper

int main(int argc, char** argv) { return lanekeeper::Main(argc, argv); }
