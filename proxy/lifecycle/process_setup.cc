#include "proxy/lifecycle/process_setup.h"

#include <absl/synchronization/mutex.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string>

#include "proxy/threads/cpu_quota.h"

namespace lanekeeper {
namespace {

// malloc itself would choose eight arenas per CPU. The threads of a crew (kind kernel) work one
// after the other, so with arenas of their own they contend no less and share no warm memory: 56
// against 48 us an RPC.
constexpr int kCpusPerArena = 2;

// What malloc keeps for the next burst instead of giving it back to the system, which would have to
// clear every page again: with large messages that was a fifth of all CPU.
constexpr int kKeptBytes = 16 * 1024 * 1024;
constexpr int kGrowthBytes = 1024 * 1024;
// From here on a block is mapped by itself; setting the above would leave it at 128 KiB.
constexpr int kMappedBytes = 1024 * 1024;

// Every connection takes two descriptors, so take what the system lets us have.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void RestartWithLargerCaches([[maybe_unused]] char** argv) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // How many free blocks of a size a thread keeps: 7 of each are a few RPCs', and the others go
  // through lists that are the longer the more streams are open. 6 MB a thread at most.
  constexpr const char* kTunables = "glibc.malloc.tcache_count=200";
  if (getenv("GLIBC_TUNABLES") != nullptr) return;
  // By its name, which would otherwise become "exe".
  std::string program(PATH_MAX, '\0');
  const ssize_t size = readlink("/proc/self/exe", program.data(), program.size());
  if (size < 0 || setenv("GLIBC_TUNABLES", kTunables, 0) != 0) return;
  program.resize(static_cast<size_t>(size));
  execv(program.c_str(), argv);  // returns only if it fails
#endif
}

void SetUpProcess() {
  RaiseDescriptorLimit();
  // Debian's absl checks for deadlocks at every lock, which costs more than forwarding does.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Left to itself malloc counts the CPUs when it first has many arenas, by opening a file of /sys.
  // Where that file is missing errno changes, and core, which allocates between connect() and its
  // look at errno, takes a good connection for a failed one (seen: "failed to connect ...: No such
  // file or directory").
  mallopt(M_ARENA_MAX, std::max(1, UsableCpus("/") / kCpusPerArena));
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kGrowthBytes);
  mallopt(M_MMAP_THRESHOLD, kMappedBytes);
}

}  // namespace lanekeeper
