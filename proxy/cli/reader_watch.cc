#include "proxy/cli/reader_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace lanekeeper {

ReaderWatch::ReaderWatch(int descriptor, std::function<void()> gone) {
  if (pipe2(ending_, O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  thread_ = std::thread([this, descriptor, gone = std::move(gone)] { Look(descriptor, gone); });
}

ReaderWatch::~ReaderWatch() {
  close(ending_[1]);
  thread_.join();
  close(ending_[0]);
}

void ReaderWatch::Look(int descriptor, const std::function<void()>& gone) const {
  // Errors and hang-ups are told without being asked for; poll() skips a descriptor below 0.
  pollfd looks[] = {{.fd = descriptor}, {.fd = ending_[0]}};
  while (poll(looks, std::size(looks), -1) < 0 && errno == EINTR) {
  }
  if ((looks[0].revents & (POLLERR | POLLHUP)) != 0) gone();
}

}  // namespace lanekeeper
