#include "proxy/base/cpu_quota.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace lanekeeper {
namespace {

namespace fs = std::filesystem;

struct Controllers {
  fs::path unified = "/";       // cgroup v2: where "0::" points
  std::optional<fs::path> cpu;  // cgroup v1: where the line of the cpu controller points
};

Controllers ReadControllers(const fs::path& root) {
  Controllers controllers;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "hierarchy:controllers:path"
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path path = line.substr(second + 1);
    if (names == ",,") controllers.unified = path;
    if (names.find(",cpu,") != std::string::npos) controllers.cpu = path;
  }
  return controllers;
}

std::optional<double> Ratio(const std::string& quota, double period) {
  if (quota.empty() || quota == "max" || quota.front() == '-' || period <= 0) return {};
  return std::stod(quota) / period;
}

std::optional<double> QuotaV2(const fs::path& directory) {
  std::ifstream file(directory / "cpu.max");  // "QUOTA|max PERIOD", microseconds
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period)) return {};
  return Ratio(quota, period);
}

std::optional<double> QuotaV1(const fs::path& directory) {
  std::ifstream quota_file(directory / "cpu.cfs_quota_us");
  std::ifstream period_file(directory / "cpu.cfs_period_us");
  std::string quota;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return {};
  return Ratio(quota, period);
}

// From the cgroup up to the mount: a parent's quota binds its children. In a container the path may
// name directories that only the host sees; those are skipped, the mount itself is always there.
template <class Quota>
std::optional<double> TightestUpwards(const fs::path& mount, const fs::path& path, Quota&& quota) {
  std::optional<double> tightest;
  fs::path at = path.relative_path();
  for (;;) {
    const std::optional<double> here = quota(mount / at);
    if (here && (!tightest || *here < *tightest)) tightest = here;
    if (at.empty()) return tightest;
    at = at.parent_path();
  }
}

}  // namespace

std::optional<double> CgroupCpuQuota(const fs::path& root) {
  const Controllers controllers = ReadControllers(root);
  std::optional<double> quota =
      TightestUpwards(root / "sys/fs/cgroup", controllers.unified, &QuotaV2);
  if (quota || !controllers.cpu) return quota;
  for (const char* mount : {"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"}) {
    quota = TightestUpwards(root / mount, *controllers.cpu, &QuotaV1);
    if (quota) return quota;
  }
  return {};
}

int UsableCpus(const fs::path& root) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  int cpus = 1;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) cpus = std::max(1, CPU_COUNT(&allowed));
  const std::optional<double> quota = CgroupCpuQuota(root);
  if (!quota) return cpus;
  return std::clamp(static_cast<int>(std::ceil(*quota)), 1, cpus);
}

}  // namespace lanekeeper
