// Streams to look at: what `deploy/quickstart` leaves behind.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
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

  // How the RPC has ended, once; nothing while it is open.
  virtual std::optional<grpc::Status> Move() { return std::nullopt; }
  // Cancels it and waits until it is gone; not after Move has told its end.
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

  std::optional<grpc::Status> Move() override {
    demo::EchoRequest request;
    request.set_text("tick");
    demo::EchoResponse response;
    if (stream_->Write(request) && stream_->Read(&response)) return std::nullopt;
    return stream_->Finish();
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
  streams.reserve(kMovingStreams + 2);
  for (int i = 0; i < kMovingStreams; ++i) streams.push_back(std::make_unique<Moving>(target));
  streams.push_back(std::make_unique<Unread>(target));
  streams.push_back(std::make_unique<Unanswered>(target));
  std::cout << "demo streams: " << streams.size() << " open" << std::endl;

  // Whoever looks may cancel one: the others go on.
  int moving = kMovingStreams;
  const auto has_ended = [&](const std::unique_ptr<OpenStream>& stream) {
    const std::optional<grpc::Status> end = stream->Move();
    if (!end) return false;
    --moving;
    std::cerr << "demo streams: a stream ended: " << end->error_message() << std::endl;
    return true;
  };
  std::jthread mover([&](const std::stop_token& stop) {
    while (moving > 0 && !stop.stop_requested()) {
      std::erase_if(streams, has_ended);
      std::this_thread::sleep_for(kBetweenMessages);
    }
    if (moving == 0) signals.Wake();
  });
  signals.Wait();
  mover.request_stop();
  mover.join();
  for (const auto& stream : streams) stream->End();
  return moving > 0 ? 0 : 1;
}

}  // namespace lanekeeper
