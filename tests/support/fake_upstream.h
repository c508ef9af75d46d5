// A gRPC server that does what a test tells it: each RPC runs the script on a thread of its own.
// The script speaks in blocking steps; what it leaves unfinished is finished with OK, or dropped
// when cancelled. Destruction cancels what is left and joins every thread.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "tests/support/bytes.h"
#include "tests/support/tag_queue.h"

namespace lanekeeper::testing {

// One RPC as the upstream sees it. Its script's thread only.
class UpstreamCall {
 public:
  ~UpstreamCall();

  std::string method() const { return context_.method(); }
  std::string authority() const { return context_.host(); }
  grpc::GenericServerContext& context() { return context_; }
  std::vector<std::string> Metadata(const std::string& key) const {
    return ValuesOf(context_.client_metadata(), key);
  }
  std::chrono::milliseconds TimeLeft() const;

  // The next request; empty after the half-close or when the call is over.
  std::optional<std::string> Read();
  // Blocks until flow control takes it; false when the call is over.
  bool Write(const std::string& bytes);
  // Like Write, but gives up waiting: true when accepted in time. Once false, no other Write.
  bool WriteWithin(const std::string& bytes, std::chrono::milliseconds patience);
  void SendHeaders(const MetadataPairs& headers = {});
  void Finish(grpc::Status status = grpc::Status::OK, const MetadataPairs& trailers = {});
  // Whether the call was cancelled within kPatience.
  bool AwaitCancelled();

 private:
  friend class FakeUpstream;
  UpstreamCall() : stream_(&context_) {}

  bool AwaitDone(std::chrono::milliseconds patience);

  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  TagQueue queue_;
  bool began_ = false;
  bool done_ = false;
  bool finished_ = false;
  bool write_pending_ = false;
  grpc::ByteBuffer read_;
  char read_tag_, write_tag_, headers_tag_, finish_tag_, done_tag_;
};

class FakeUpstream {
 public:
  using Script = std::function<void(UpstreamCall&)>;

  // port 0 picks one.
  explicit FakeUpstream(Script script, int port = 0,
                        const std::function<void(grpc::ServerBuilder&)>& set_up = {});
  ~FakeUpstream();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  int calls() const { return calls_; }
  // How many distinct connections RPCs came over.
  size_t connections() const;

 private:
  void Accept();

  const Script script_;
  int port_ = 0;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> arrivals_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<int> calls_{0};
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::set<std::string> peers_;
  std::list<std::thread> scripts_;
  std::thread accepting_;
};

// Scripts that many tests share.
void Echo(UpstreamCall& call);  // every request back as a response, then OK

}  // namespace lanekeeper::testing
