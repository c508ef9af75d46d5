// Reading a configuration file with every key in it.
#include <benchmark/benchmark.h>

#include "config/load.h"
#include "tests/bench/micro/kernel.h"

namespace lanekeeper {
namespace {

bool Loads(const Environment& environment) {
  return LoadConfigFile(REFERENCE_CONFIG, environment).config.has_value();
}

LANEKEEPER_KERNEL bool KernelConfigLoad(const Environment& environment) {
  return Loads(environment);
}

void ConfigLoad(benchmark::State& state) {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  benchmark::DoNotOptimize(Loads(nothing));  // the first one makes yaml-cpp's tables
  for (auto _ : state) {
    if (!KernelConfigLoad(nothing)) state.SkipWithError("reference.yaml does not load");
  }
}
BENCHMARK(ConfigLoad)->Name("config_load");

}  // namespace
}  // namespace lanekeeper
