#include "proxy/log/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lanekeeper {
namespace {

// How long it takes at most to notice that it is time to give up.
constexpr int kLookMs = 50;

}  // namespace

bool LineWriter::Write(std::string_view lines) {
  if (line_is_cut_) {
    line_is_cut_ = false;
    if (!Write("\n")) {
      line_is_cut_ = true;
      return false;
    }
  }
  const size_t all = lines.size();
  while (!lines.empty()) {
    if (!AwaitWritable()) break;
    const ssize_t written = write(fd_, lines.data(), std::min(lines.size(), kWriteBytes));
    if (written >= 0) {
      lines.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Others that write to the same descriptor were faster, or it asks for more room than poll.
      poll(nullptr, 0, 1);
      if (Clock::now() >= give_up_at_.load()) break;
    } else if (errno != EINTR) {
      break;
    }
  }
  line_is_cut_ = !lines.empty() && lines.size() < all;
  return lines.empty();
}

bool LineWriter::AwaitWritable() const {
  for (;;) {
    const bool late = Clock::now() >= give_up_at_.load();
    pollfd descriptor{fd_, POLLOUT, 0};
    // An error or a reader that has gone counts too: write() then tells.
    if (poll(&descriptor, 1, late ? 0 : kLookMs) > 0) return true;
    if (late) return false;
  }
}

}  // namespace lanekeeper
