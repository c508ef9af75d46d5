// Two functions of gRPC's library that make the errors of its HTTP/2 transport are replaced by ones
// that mark the texts in question and then call the library's own. They are found before it, as
// sendmsg is (send_coalescer.cc). A gRPC that makes its errors in another way marks nothing; then
// nothing is ever sent again, which is safe, and tests/integration/transparent_retry_test.cc says
// so.
#include "proxy/upstream/local_status.h"

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <fmt/format.h>

#include <atomic>
#include <random>
#include <string>
#include <vector>

#include "proxy/rpc/replaced_function.h"

namespace lanekeeper {
namespace {

// Where core makes these texts is in chttp2_transport.cc and frame_rst_stream.cc.
constexpr std::string_view kGoaway = "GOAWAY received";
constexpr std::string_view kNoMoreIds = "Stream IDs exhausted";
constexpr std::string_view kClosedBefore = "Transport closed";  // before the stream began
constexpr std::string_view kReset = "RST_STREAM";  // the error, before it gets its text:
constexpr std::string_view kRefused = "Received RST_STREAM with error code 7";

std::atomic<int> users{0};

// A number that nobody outside this process can know.
const std::string& Mark() {
  static const std::string mark = [] {
    std::random_device random;
    return fmt::format(" [{:08x}{:08x}]", random(), random());
  }();
  return mark;
}

bool Is(absl::string_view text, std::string_view one) {
  return text == absl::string_view(one.data(), one.size());
}

bool Wanted() { return users.load(std::memory_order_relaxed) > 0; }

std::string Marked(absl::string_view text) { return std::string(text) + Mark(); }

}  // namespace

LocalStatusMarks::LocalStatusMarks() { users.fetch_add(1, std::memory_order_relaxed); }
LocalStatusMarks::~LocalStatusMarks() { users.fetch_sub(1, std::memory_order_relaxed); }

StatusText WithoutMark(std::string_view message) {
  const std::string& mark = Mark();
  if (!message.ends_with(mark)) return {message, false};
  return {message.substr(0, message.size() - mark.size()), true};
}

}  // namespace lanekeeper

namespace grpc_core {

class DebugLocation;
enum class StatusStrProperty;

absl::Status StatusCreate(absl::StatusCode code, absl::string_view message,
                          const DebugLocation& location, std::vector<absl::Status> children)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_STATUS_CREATE);
absl::Status OriginalStatusCreate(absl::StatusCode code, absl::string_view message,
                                  const DebugLocation& location, std::vector<absl::Status> children)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_STATUS_CREATE);

absl::Status StatusCreate(absl::StatusCode code, absl::string_view message,
                          const DebugLocation& location, std::vector<absl::Status> children) {
  static auto* const create = LANEKEEPER_FIND(StatusCreate, OriginalStatusCreate);
  using namespace lanekeeper;
  const bool to_be_marked =
      Wanted() && (Is(message, kGoaway) || Is(message, kNoMoreIds) || Is(message, kClosedBefore));
  if (!to_be_marked) return create(code, message, location, std::move(children));
  return create(code, Marked(message), location, std::move(children));
}

}  // namespace grpc_core

absl::Status grpc_error_set_str(absl::Status error, grpc_core::StatusStrProperty which,
                                absl::string_view text)
    LANEKEEPER_REPLACES(LANEKEEPER_NAME_ERROR_SET_STR);
absl::Status OriginalSetStr(absl::Status error, grpc_core::StatusStrProperty which,
                            absl::string_view text)
    LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_ERROR_SET_STR);

absl::Status grpc_error_set_str(absl::Status error, grpc_core::StatusStrProperty which,
                                absl::string_view text) {
  static auto* const set = LANEKEEPER_FIND(grpc_error_set_str, OriginalSetStr);
  using namespace lanekeeper;
  // Core passes texts off the wire through here as well, but onto errors of other names.
  const bool to_be_marked = Wanted() && Is(text, kRefused) && Is(error.message(), kReset);
  if (!to_be_marked) return set(std::move(error), which, text);
  return set(std::move(error), which, Marked(text));
}
