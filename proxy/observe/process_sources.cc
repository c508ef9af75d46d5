#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proxy/observe/metrics.h"
#include "proxy/version.h"

namespace lanekeeper {
namespace {

using prometheus::MetricType;

// What /proc tells of this process. Its files stay open: with no descriptor left nothing could be
// opened, and that is when somebody wants to see the numbers. Any thread.
class ProcSelf {
 public:
  ProcSelf()
      : stat_(open("/proc/self/stat", O_RDONLY | O_CLOEXEC)), fds_(opendir("/proc/self/fd")) {}
  ProcSelf(const ProcSelf&) = delete;
  ProcSelf& operator=(const ProcSelf&) = delete;
  ~ProcSelf() {
    if (stat_ >= 0) close(stat_);
    if (fds_ != nullptr) closedir(fds_);
  }

  // As numbered in proc(5).
  double StatField(size_t number) const {
    std::array<char, 4096> text{};
    const ssize_t size = pread(stat_, text.data(), text.size(), 0);
    const std::string line(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
    // After the command name, which may hold spaces, follows field 3.
    std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    return number - 3 < fields.size() ? std::stod(fields[number - 3]) : 0;
  }

  double OpenFds() {
    if (fds_ == nullptr) return 0;
    const std::lock_guard lock(fds_mutex_);
    rewinddir(fds_);
    int count = 0;
    while (const dirent* entry = readdir(fds_)) count += entry->d_name[0] != '.';
    return count;
  }

 private:
  const int stat_;
  std::mutex fds_mutex_;
  DIR* const fds_;
};

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

double Ticks() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

double MaxFds() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddProcessSources(Metrics& metrics, std::string grpc_version, std::string nghttp2_version) {
  const auto self = std::make_shared<ProcSelf>();
  const double started = BootTime() + self->StatField(22) / Ticks();
  metrics.AddSource("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
                    MetricType::Counter,
                    [self] { return (self->StatField(14) + self->StatField(15)) / Ticks(); });
  const auto gauge = [&metrics](const char* name, const char* help, std::function<double()> read) {
    metrics.AddSource(name, help, MetricType::Gauge, std::move(read));
  };
  gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
        [self] { return self->StatField(24) * static_cast<double>(sysconf(_SC_PAGESIZE)); });
  gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.",
        [self] { return self->StatField(23); });
  gauge("process_threads", "Number of OS threads.", [self] { return self->StatField(20); });
  gauge("process_open_fds", "Number of open file descriptors.", [self] { return self->OpenFds(); });
  gauge("process_max_fds", "Maximum number of open file descriptors.", &MaxFds);
  gauge("process_start_time_seconds", "Start time of the process since the Unix epoch, in seconds.",
        [started] { return started; });
  const Metrics::Sample build{{{"version", kVersion},
                               {"revision", kRevision},
                               {"grpc_version", std::move(grpc_version)},
                               {"nghttp2_version", std::move(nghttp2_version)}},
                              1};
  metrics.AddSource({"lanekeeper_build_info", "Always 1; the labels say what is running.",
                     MetricType::Gauge, [build] { return std::vector<Metrics::Sample>{build}; }});
}

}  // namespace lanekeeper
