// Streams to look at: what `deploy/quickstart` leaves behind.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "protos/demo/echo.grpc.pb.h"
#include "proxy/base/signals.h"
#include "proxy/demo/demo.h"

namespace lanekeeper {
namespace {

constexpr int kMovingStreams = 4;
constexpr std::chrono::milliseconds kBetweenMessages{500};
// Far more than all windows on the way hold.
constexpr int kUnreadCopies = 100000;
constexpr size_t kUnreadTextBytes = 1000;

// One RPC on a channel of its own, from its construction until it is cancelled. The owner's thread.
class OpenStream {
 public:
  explicit OpenStream(const std::string& target)
      : stub_(
            demo::Echo::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()))) {}
  virtual ~OpenStream() = default;
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

  // Why the RPC has ended; empty while it is open.
  virtual std::string Move() { return {}; }
  // Cancels it and waits until it is gone.
  virtual void End() = 0;

 protected:
  grpc::ClientContext context_;
  const std::unique_ptr<demo::Echo::Stub> stub_;
};

// A message there and back at every Move.
class Moving : public OpenStream {
 public:
  explicit Moving(const std::string& target)
      : OpenStream(target), stream_(stub_->BidiStream(&context_)) {}

  std::string Move() override {
    demo::EchoRequest request;
    request.set_text("tick");
    demo::EchoResponse response;
    if (stream_->Write(request) && stream_->Read(&response)) return {};
    return stream_->Finish().error_message();
  }
  void End() override {
    context_.TryCancel();
    stream_->Finish();
  }

 private:
  const std::unique_ptr<grpc::ClientReaderWriter<demo::EchoRequest, demo::EchoResponse>> stream_;
};

demo::EchoRequest ManyCopies() {
  demo::EchoRequest request;
  request.set_text(std::string(kUnreadTextBytes, 'x'));
  request.set_copies(kUnreadCopies);
  return request;
}

// Asks for much and reads nothing of it.
class Unread : public OpenStream {
 public:
  explicit Unread(const std::string& target)
      : OpenStream(target), stream_(stub_->ServerStream(&context_, ManyCopies())) {}

  void End() override {
    context_.TryCancel();
    stream_->Finish();
  }

 private:
  const std::unique_ptr<grpc::ClientReader<demo::EchoResponse>> stream_;
};

// Is never answered.
class Unanswered : public OpenStream {
 public:
  explicit Unanswered(const std::string& target)
      : OpenStream(target), stream_(stub_->AsyncSilence(&context_, {}, &queue_)) {
    stream_->Finish(&response_, &status_, this);
  }

  void End() override {
    context_.TryCancel();
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

 private:
  grpc::CompletionQueue queue_;
  const std::unique_ptr<grpc::ClientAsyncResponseReader<demo::EchoResponse>> stream_;
  demo::EchoResponse response_;
  grpc::Status status_;
};

}  // namespace

int RunDemoStreams(const std::string& target) {
  const Signals signals({SIGTERM, SIGINT});
  std::vector<std::unique_ptr<OpenStream>> streams;
  for (int i = 0; i < kMovingStreams; ++i) streams.push_back(std::make_unique<Moving>(target));
  streams.push_back(std::make_unique<Unread>(target));
  streams.push_back(std::make_unique<Unanswered>(target));
  std::cout << "demo streams: " << streams.size() << " open" << std::endl;

  std::string why;
  std::jthread mover([&](const std::stop_token& stop) {
    while (why.empty() && !stop.stop_requested()) {
      for (const auto& stream : streams) {
        if (why.empty()) why = stream->Move();
      }
      std::this_thread::sleep_for(kBetweenMessages);
    }
    if (!why.empty()) signals.Wake();
  });
  signals.Wait();
  mover.request_stop();
  mover.join();
  for (const auto& stream : streams) stream->End();
  if (why.empty()) return 0;
  std::cerr << "demo streams: a stream ended: " << why << "\n";
  return 1;
}

}  // namespace lanekeeper
