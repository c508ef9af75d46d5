// Tells when one of some files is another than before: replaced, rewritten, there at last, gone, or
// with another mode. Watches the directories by inotify, because Kubernetes swaps a symbolic link
// in the path and editors rename over it; a watch on the file itself would die with the old one.
// Looks every minute besides, for what inotify does not see (a network file system, a directory
// that comes later). Used on the loop's thread; ends when destroyed, which `changed` may do.
#pragma once

#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "proxy/net/event_loop.h"

namespace lanekeeper {

class FileWatch {
 public:
  static constexpr std::chrono::milliseconds kPollEvery{60'000};

  // `changed` is called on the loop's thread, some 100 ms after the first of several changes, and
  // once more for later ones. Make the watch before reading the files, lest a change get lost.
  FileWatch(EventLoop& loop, std::vector<std::filesystem::path> files,
            std::function<void()> changed, std::chrono::milliseconds poll_every = kPollEvery);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

 private:
  class Notices;

  // What stat(2) tells of the file at the end of all links; zeros if there is none.
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    timespec status_changed{};  // also when it has become readable

    bool operator==(const Identity& other) const;
  };

  static Identity IdentityOf(const std::filesystem::path& file);
  std::vector<Identity> Identities() const;
  void LookSoon();
  void Look();

  EventLoop& loop_;
  const std::vector<std::filesystem::path> files_;
  const std::function<void()> changed_;
  const std::chrono::nanoseconds poll_every_;
  std::unique_ptr<Notices> notices_;
  std::vector<Identity> seen_;
  TimerOf<FileWatch, &FileWatch::Look> soon_timer_;
  TimerOf<FileWatch, &FileWatch::Look> poll_timer_;
};

}  // namespace lanekeeper
