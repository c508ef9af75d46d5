// bench-load: loads a gRPC server or a proxy, checks every answer, prints one line of JSON. One
// thread.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "tests/bench/load/program.h"
#include "tests/bench/load/sockets.h"
#include "tests/bench/load/target.h"
#include "tests/bench/load/workload.h"

namespace bench {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Loads a gRPC server; see tests/bench/load/README.md");
  LoadOptions options;
  std::string address, tls_authority;
  app.add_option("--target", address, "HOST:PORT or unix:///path")->required();
  app.add_option("--tls-ca", tls_authority, "PEM file of who signed the target; makes it TLS");
  app.add_option("--workload", options.workload)
      ->required()
      ->check(CLI::IsMember({"unary", "ping_pong", "bulk", "mixed", "fanout", "idle", "churn"}));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 100'000));
  app.add_option("--streams", options.streams)->check(CLI::Range(1, 1'000'000));
  app.add_option("--size", options.size, "bytes of a message")->check(CLI::Range(0, 1 << 30));
  auto* seconds = app.add_option("--seconds", options.seconds)->check(CLI::Range(0.001, 86'400.0));
  app.add_option("--count", options.count, "RPCs, or messages of ping_pong, bulk and mixed, in all")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 60))
      ->excludes(seconds);
  app.add_option("--churn-rpcs", options.churn_rpcs, "RPCs per connection")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 60));
  try {
    app.parse(argc, argv);
    if (options.workload != "idle" && options.seconds == 0 && options.count == 0) {
      throw CLI::RequiredError("--seconds or --count");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  if (options.workload == "idle") options.seconds = 0;
  const Target target(address, tls_authority);
  const Results results = NewWorkload(target, options)->Run();
  std::puts(results.Json(options.workload).c_str());
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::RunProgram("bench-load", [&] { return bench::Main(argc, argv); });
}
