// The control port over HTTP/1: the judge of the first bytes, then a request of any bytes and what
// is answered. The request is read by cpp-httplib, as in the daemon.
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/admin/http_connection.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"
#include "tests/unit/admin/fake_control.h"

namespace lanekeeper::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr size_t kRequestBytesMax = 16 * 1024;
constexpr HttpStream::Limits kLimits{kRequestBytesMax, 5s, 5s, 5s};

// Once it is decided, more bytes change nothing.
Protocol CheckProtocol(std::string_view bytes) {
  Protocol told = Protocol::kUndecided;
  for (size_t size = 1; size <= std::min(bytes.size(), kFirstBytesMax); ++size) {
    const Protocol now = TellProtocol(bytes.substr(0, size));
    Check(told == Protocol::kUndecided || now == told, "what is decided stays");
    told = now;
    if (size >= 64 && told != Protocol::kUndecided) break;
  }
  Check(told != Protocol::kUndecided || bytes.size() < kFirstBytesMax, "it is decided in the end");
  return told;
}

void CheckHead(std::string_view head) {
  Check(head.starts_with("HTTP/1.1 "), "an answer is HTTP/1.1");
  head.remove_prefix(std::string_view("HTTP/1.1 ").size());
  const std::string_view status = head.substr(0, 3);
  Check(status.size() == 3 && status[0] >= '2' && status[0] <= '5', "an answer has a status");
  for (size_t at = 0; at < head.size();) {
    const size_t end = std::min(head.find("\r\n", at), head.size());
    Check(!HasControls(head.substr(at, end - at)), "a head has lines, and nothing in them");
    at = end + 2;
  }
}

// JSON but for the page, whose files are not told apart here.
void CheckBody(std::string_view head, std::string_view body) {
  if (body.empty() || head.find("application/json") == std::string_view::npos) return;
  Check(!HasControls(body), "an answer in JSON is one line");
  Check(nlohmann::json::accept(body), "an answer in JSON is JSON");
}

void CheckAnswer(std::string_view answer) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (answer.starts_with(kContinue)) answer.remove_prefix(kContinue.size());
  if (answer.empty()) return;  // the connection was closed without one
  const size_t end = answer.find("\r\n\r\n");
  Check(end != std::string_view::npos, "a head ends");
  CheckHead(answer.substr(0, end));
  CheckBody(answer.substr(0, end), answer.substr(end + 4));
}

std::string ReadAll(int fd) {
  std::string all;
  char bytes[16384];
  for (ssize_t size = 0; (size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
    all.append(bytes, static_cast<size_t>(size));
  }
  return all;
}

// The peer has said all before it is answered, so that nobody waits.
void Ask(std::string_view request) {
  testing::FakeControl control;
  control.AddMany(3);
  AdminCalls calls(control);
  Watchers watchers(0);
  HttpApi api(calls, watchers, "admin.example");
  int ends[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
        "a socketpair can be had");
  const Fd peer(ends[1]);
  const Connection connection{Fd(ends[0])};
  Check(send(peer.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()),
        "a request fits into a socket");
  shutdown(peer.get(), SHUT_WR);
  HttpConnection(connection, kLimits, api).Run();
  CheckAnswer(ReadAll(peer.get()));
}

void Run(Input input) {
  static const bool quiet = [] {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>()));
    return true;
  }();
  Check(quiet, "nothing is logged");
  const std::string_view bytes = input.Rest().substr(0, 2 * kRequestBytesMax);
  if (CheckProtocol(bytes) == Protocol::kHttp1) Ask(bytes);
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}
