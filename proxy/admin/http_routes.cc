#include "proxy/admin/http_routes.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace lanekeeper {
namespace {

using What = HttpRoute::What;

constexpr std::array<std::pair<std::string_view, What>, 6> kFixed = {
    {{"/streams", What::kListStreams},
     {"/streams/watch", What::kWatchStreams},
     {"/drain", What::kDrain},
     {"/loglevel", What::kSetLogLevel},
     {"/config", What::kGetConfig},
     {"/version", What::kGetVersion}}};
constexpr std::string_view kOneStream = "/streams/";
constexpr std::string_view kCancel = "/cancel";
constexpr size_t kIdBytesMax = 20;  // of the largest there is; the library's regex gets no more

// "/" is the page itself.
std::optional<HttpRoute> FindPageFile(std::string_view path) {
  const std::string_view name = path == "/" ? "index.html" : path.substr(1);
  const auto files = PageFiles();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const auto& one) { return one.name == name; });
  if (found == files.end()) return std::nullopt;
  return HttpRoute{What::kPage, "", &*found};
}

}  // namespace

bool HttpRoute::is_post() const {
  return what == What::kCancelStream || what == What::kDrain || what == What::kSetLogLevel;
}

const char* HttpRoute::allowed() const { return is_post() ? "POST" : "GET, HEAD"; }

std::optional<HttpRoute> FindRoute(const std::string& path) {
  for (const auto& [fixed, what] : kFixed) {
    if (path == fixed) return HttpRoute{what, "", nullptr};
  }
  if (path.empty() || path[0] != '/') return std::nullopt;
  if (path.rfind(kOneStream, 0) != 0) return FindPageFile(path);
  std::string id = path.substr(kOneStream.size());
  What what = What::kGetStream;
  if (id.size() > kCancel.size() && id.compare(id.size() - kCancel.size(), id.npos, kCancel) == 0) {
    id.resize(id.size() - kCancel.size());
    what = What::kCancelStream;
  }
  if (id.empty() || id.size() > kIdBytesMax || id.find('/') != id.npos) return std::nullopt;
  return HttpRoute{what, std::move(id), nullptr};
}

}  // namespace lanekeeper
