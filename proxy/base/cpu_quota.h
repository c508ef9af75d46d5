// How many CPUs this process may use: a container on a 64-core host with a quota of 2 CPUs should
// not start 64 workers. Reads the cgroup (v2 or v1) below `root`, "/" outside tests.
#pragma once

#include <filesystem>
#include <optional>

namespace lanekeeper {

// The tightest quota of this process's cgroup and its parents, in CPUs; empty without one.
std::optional<double> CgroupCpuQuota(const std::filesystem::path& root);

// The quota rounded up, at most the CPUs of the affinity mask, at least 1.
int UsableCpus(const std::filesystem::path& root);

}  // namespace lanekeeper
