// One RPC as an application sees it, in blocking steps with a bound. One thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/support/bytes.h"
#include "tests/support/tag_queue.h"

namespace lanekeeper::testing {

inline constexpr char kMethod[] = "/lanekeeper.tests.Service/Method";

class DownstreamCall {
 public:
  explicit DownstreamCall(std::shared_ptr<grpc::Channel> channel, std::string method = kMethod);
  ~DownstreamCall();

  grpc::ClientContext& context() { return context_; }
  void AddMetadata(const std::string& key, const std::string& value);
  void SetTimeout(std::chrono::milliseconds timeout);

  DownstreamCall& Start();
  bool Write(const std::string& bytes);
  // Like Write, but gives up waiting: true when accepted in time. Once false, AwaitWrite before the
  // next.
  bool WriteWithin(const std::string& bytes, std::chrono::milliseconds patience);
  bool AwaitWrite();
  bool WritesDone();
  // Whether the response headers have come within the time.
  bool AwaitHeaders(std::chrono::milliseconds patience = kPatience);
  // The next response; empty at the end of the stream.
  std::optional<std::string> Read();
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish();
  // Half-closes, drops what responses are left, and returns the status.
  grpc::Status End();

  std::vector<std::string> Header(const std::string& key) const {
    return ValuesOf(context_.GetServerInitialMetadata(), key);
  }
  std::vector<std::string> Trailer(const std::string& key) const {
    return ValuesOf(context_.GetServerTrailingMetadata(), key);
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  TagQueue queue_;
  const std::string method_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool started_ = false;
  bool writes_done_ = false;
  bool finished_ = false;
  bool headers_asked_ = false;
  grpc::ByteBuffer read_;
  grpc::Status status_;
  char start_tag_, write_tag_, writes_done_tag_, headers_tag_, read_tag_, finish_tag_;
};

// A whole unary call: the response, or why there is none.
struct UnaryResult {
  grpc::Status status;
  std::string response;
};
UnaryResult Unary(const std::shared_ptr<grpc::Channel>& channel, const std::string& request,
                  const std::string& method = kMethod);

}  // namespace lanekeeper::testing
