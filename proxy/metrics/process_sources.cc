#include "proxy/metrics/process_sources.h"

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/version.h"

namespace lanekeeper {
namespace {

using prometheus::MetricType;

// Fields of /proc/self/stat after the command name, which may hold spaces (proc(5)); field 3 is
// first.
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  return {std::istream_iterator<std::string>(fields), {}};
}

double StatField(size_t number) {
  const std::vector<std::string> fields = StatFields();
  return number - 3 < fields.size() ? std::stod(fields[number - 3]) : 0;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

double Ticks() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

double OpenFds() {
  std::error_code error;
  auto entries = std::filesystem::directory_iterator("/proc/self/fd", error);
  return static_cast<double>(std::distance(begin(entries), end(entries)));
}

double MaxFds() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

Metrics::Source Value(const char* name, const char* help, MetricType type, double (*read)()) {
  return {name, help, type, [read] { return std::vector<Metrics::Sample>{{{}, read()}}; }};
}

}  // namespace

void AddProcessSources(Metrics& metrics) {
  metrics.AddSource(Value("process_cpu_seconds_total",
                          "User and system CPU time spent, in seconds.", MetricType::Counter,
                          [] { return (StatField(14) + StatField(15)) / Ticks(); }));
  metrics.AddSource(
      Value("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge,
            [] { return StatField(24) * static_cast<double>(sysconf(_SC_PAGESIZE)); }));
  metrics.AddSource(Value("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                          MetricType::Gauge, [] { return StatField(23); }));
  metrics.AddSource(Value("process_threads", "Number of OS threads.", MetricType::Gauge,
                          [] { return StatField(20); }));
  metrics.AddSource(
      Value("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, &OpenFds));
  metrics.AddSource(Value("process_max_fds", "Maximum number of open file descriptors.",
                          MetricType::Gauge, &MaxFds));
  metrics.AddSource(Value("process_start_time_seconds",
                          "Start time of the process since the Unix epoch, in seconds.",
                          MetricType::Gauge, [] { return BootTime() + StatField(22) / Ticks(); }));
  metrics.AddSource(
      {"lanekeeper_build_info", "Always 1; the labels say what is running.", MetricType::Gauge, [] {
         return std::vector<Metrics::Sample>{
             {{{"version", kVersion}, {"revision", kRevision}, {"grpc_version", grpc::Version()}},
              1}};
       }});
}

}  // namespace lanekeeper
