#include "tests/unit/admin/admin_testing.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

namespace lanekeeper::testing {
namespace {

std::string JoinChunks(const std::string& chunked) {
  std::string joined;
  for (size_t at = 0; at < chunked.size();) {
    const size_t end = chunked.find("\r\n", at);
    if (end == std::string::npos) break;
    const size_t size = std::stoul(chunked.substr(at, end - at), nullptr, 16);
    joined += chunked.substr(end + 2, size);
    at = end + 2 + size + 2;
  }
  return joined;
}

std::string ErrorField(const std::string& body, const char* name) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  return json.is_object() ? json.value(name, "") : "";
}

}  // namespace

std::string HttpAnswer::error_code() const { return ErrorField(body, "code"); }
std::string HttpAnswer::error_message() const { return ErrorField(body, "message"); }

HttpAnswer ParseAnswer(const std::string& bytes) {
  HttpAnswer answer;
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos || bytes.rfind("HTTP/1.1 ", 0) != 0) return answer;
  answer.status = std::stoi(bytes.substr(9));
  answer.head = bytes.substr(0, end + 2);
  answer.body = bytes.substr(end + 4);
  if (answer.head.find("Transfer-Encoding: chunked") != std::string::npos) {
    answer.body = JoinChunks(answer.body);
  }
  return answer;
}

AdminTest::~AdminTest() {
  server_.reset();
  if (!directory_.empty()) std::filesystem::remove_all(directory_);
}

void AdminTest::ListenOnUnix() {
  char path[] = "/tmp/lanekeeper-admin-XXXXXX";
  ASSERT_NE(mkdtemp(path), nullptr);
  directory_ = path;
  address_ = "unix://" + (directory_ / "admin.sock").string();
}

AdminServer& AdminTest::server() {
  if (!server_) server_ = std::make_unique<AdminServer>(AdminConfig{address_}, control_, limits_);
  return *server_;
}

std::unique_ptr<adminpb::Admin::Stub> AdminTest::NewStub() {
  grpc::ChannelArguments arguments;
  // A connection of its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return adminpb::Admin::NewStub(
      grpc::CreateCustomChannel(server().name(), grpc::InsecureChannelCredentials(), arguments));
}

HttpAnswer AdminTest::Ask(const std::string& request) {
  return ParseAnswer(Exchange(server().name(), request));
}

HttpAnswer AdminTest::Get(const std::string& target, const std::string& more_head) {
  return Ask(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more_head));
}

HttpAnswer AdminTest::Post(const std::string& target, const std::string& json) {
  return Ask(
      fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  target, json.size(), json));
}

}  // namespace lanekeeper::testing
