#include "proxy/net/file_watch.h"

#include <spdlog/spdlog.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

namespace lanekeeper {
namespace {

// Whoever replaces a pair writes two files: one look for both.
constexpr Instant kSettle = 100'000'000;
constexpr uint32_t kDirectoryEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                      IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                      IN_ONLYDIR;

auto Times(const timespec& time) { return std::tuple(time.tv_sec, time.tv_nsec); }

std::filesystem::path DirectoryOf(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.parent_path();
  return directory.empty() ? "." : directory;
}

}  // namespace

// The inotify descriptor. Destroyed between two steps of the loop, which may still hold its event.
class FileWatch::Notices final : public EventHandler, public Retired {
 public:
  explicit Notices(FileWatch& watch)
      : watch_(&watch), fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (fd_) {
      watch.loop_.Watch(fd_.get(), *this, EPOLLIN);
      return;
    }
    spdlog::warn("cannot be told when files change, looks every {} s instead: {}",
                 watch.poll_every_ / std::chrono::seconds(1), std::strerror(errno));
  }

  // The directories that the files' paths name, and those that their links lead to. A directory
  // that is watched already keeps its number.
  void WatchDirectories() {
    if (!fd_) return;
    std::set<int> wanted;
    for (const std::filesystem::path& file : watch_->files_) {
      std::error_code none;
      const std::filesystem::path resolved = std::filesystem::canonical(file, none);
      for (const auto& directory : {DirectoryOf(file), DirectoryOf(none ? file : resolved)}) {
        const int number = inotify_add_watch(fd_.get(), directory.c_str(), kDirectoryEvents);
        if (number >= 0) wanted.insert(number);
      }
    }
    for (const int number : numbers_) {
      if (!wanted.contains(number)) inotify_rm_watch(fd_.get(), number);
    }
    numbers_ = std::move(wanted);
  }

  // What happened does not matter, only that something did. Edge-triggered: to the last.
  void OnEvents(uint32_t) override {
    if (watch_ == nullptr) return;
    alignas(inotify_event) std::array<char, 4096> ignored;
    while (read(fd_.get(), ignored.data(), ignored.size()) > 0) {
    }
    watch_->LookSoon();
  }

  void Stop() {
    if (fd_) watch_->loop_.Forget(fd_.get());
    watch_ = nullptr;
  }

 private:
  FileWatch* watch_;  // null: it is gone
  const Fd fd_;
  std::set<int> numbers_;
};

bool FileWatch::Identity::operator==(const Identity& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         Times(modified) == Times(other.modified) &&
         Times(status_changed) == Times(other.status_changed);
}

FileWatch::FileWatch(EventLoop& loop, std::vector<std::filesystem::path> files,
                     std::function<void()> changed, std::chrono::milliseconds poll_every)
    : loop_(loop),
      files_(std::move(files)),
      changed_(std::move(changed)),
      poll_every_(poll_every),
      notices_(std::make_unique<Notices>(*this)),
      soon_timer_(loop.timers(), *this),
      poll_timer_(loop.timers(), *this) {
  notices_->WatchDirectories();
  seen_ = Identities();
  poll_timer_.Set(InstantNow() + poll_every_.count());
}

FileWatch::~FileWatch() {
  notices_->Stop();
  loop_.Retire(std::move(notices_));
}

FileWatch::Identity FileWatch::IdentityOf(const std::filesystem::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
}

std::vector<FileWatch::Identity> FileWatch::Identities() const {
  std::vector<Identity> identities;
  identities.reserve(files_.size());
  for (const std::filesystem::path& file : files_) identities.push_back(IdentityOf(file));
  return identities;
}

// Not moved by further events: a directory in which something always happens is looked at too.
void FileWatch::LookSoon() {
  if (!soon_timer_.is_set()) soon_timer_.Set(loop_.now() + kSettle);
}

// The watches first: what happens after them is told, what happened before is seen. `changed` may
// destroy this.
void FileWatch::Look() {
  soon_timer_.Cancel();
  poll_timer_.Set(loop_.now() + poll_every_.count());
  notices_->WatchDirectories();
  std::vector<Identity> now = Identities();
  if (std::exchange(seen_, now) == now) return;
  const auto changed = changed_;
  changed();
}

}  // namespace lanekeeper
