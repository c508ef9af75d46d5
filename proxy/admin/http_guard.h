// Keeps web pages of other sites from using the control address through a browser that can reach
// it. Three rules, for every request but one (below):
//   - Host is an IP literal, localhost, or the configured host (a page whose name has been rebound
//     to 127.0.0.1 sends its own name). No Host at all is no browser.
//   - Origin, if there is one, is the same as Host; Sec-Fetch-Site is "same-origin" or "none".
//   - A POST is application/json, which another site's page may not send without asking us first
//     (a CORS preflight), and we never permit it.
// The exception: a link on another site may open the page at /, which holds no data.
// Pure function; any thread.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>

namespace lanekeeper {

struct HttpRefusal {
  int status = 0;
  std::string message;
};

// Looks at the head; the body may be unread. `configured` is the host of admin.address; empty with
// a unix socket.
std::optional<HttpRefusal> Guard(const httplib::Request& request, const std::string& configured);

}  // namespace lanekeeper
