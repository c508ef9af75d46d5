// Which paths there are over HTTP, and which method each takes. Values only; any thread.
#pragma once

#include <optional>
#include <string>

#include "proxy/admin/page_files.h"

namespace lanekeeper {

struct HttpRoute {
  enum class What {
    kPage,
    kListStreams,
    kWatchStreams,
    kGetStream,
    kCancelStream,
    kDrain,
    kSetLogLevel,
    kGetConfig,
    kGetVersion,
  };

  What what = What::kPage;
  std::string id;                  // of the stream, as it stands in the path
  const PageFile* file = nullptr;  // of the page

  // State changes by POST only, and POST does nothing else.
  bool is_post() const;
  // "POST", or "GET, HEAD".
  const char* allowed() const;
};

// Nothing for a path that does not exist.
std::optional<HttpRoute> FindRoute(const std::string& path);

}  // namespace lanekeeper
