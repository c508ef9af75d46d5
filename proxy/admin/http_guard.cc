#include "proxy/admin/http_guard.h"

#include "config/host_port.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

bool IsJson(const std::string& content_type) {
  std::string type = Lower(content_type.substr(0, content_type.find(';')));
  type.erase(type.find_last_not_of(' ') + 1);
  return type == "application/json";
}

// Without port and brackets; empty when a bracket is left open.
std::string HostOf(const std::string& host_and_port) {
  if (host_and_port[0] != '[') return host_and_port.substr(0, host_and_port.find(':'));
  const size_t end = host_and_port.find(']');
  return end == std::string::npos ? "" : host_and_port.substr(1, end - 1);
}

bool IsLinkToThePage(const httplib::Request& request) {
  return request.method == "GET" && request.path == "/" && !request.has_header("Origin") &&
         request.get_header_value("Sec-Fetch-Mode") == "navigate";
}

bool IsOurHost(const std::string& host_and_port, const std::string& configured) {
  const std::string host = Lower(HostOf(host_and_port));
  return !host.empty() &&
         (IsIpv4(host) || IsIpv6(host) || host == "localhost" || host == Lower(configured));
}

}  // namespace

std::optional<HttpRefusal> Guard(const httplib::Request& request, const std::string& configured) {
  if (request.get_header_value_count("Host") > 1) return HttpRefusal{400, "more than one Host"};
  const std::string host = request.get_header_value("Host");
  if (request.has_header("Host") && !IsOurHost(host, configured)) {
    return HttpRefusal{403, "Host '" + Printable(host) +
                                "' is neither an IP address nor localhost nor the host of "
                                "admin.address"};
  }
  if (request.has_header("Origin") &&
      Lower(request.get_header_value("Origin")) != "http://" + Lower(host)) {
    return HttpRefusal{403, "pages of other origins may not ask"};
  }
  const std::string site = request.get_header_value("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none" && !IsLinkToThePage(request)) {
    return HttpRefusal{403, "pages of other sites may not ask"};
  }
  if (request.method != "POST") return std::nullopt;
  if (!IsJson(request.get_header_value("Content-Type"))) {
    return HttpRefusal{415, "a POST needs the header 'Content-Type: application/json'"};
  }
  if (request.has_header("Content-Encoding")) {
    return HttpRefusal{415, "a body must not be compressed"};
  }
  return std::nullopt;
}

}  // namespace lanekeeper
