#include "tests/support/fake_upstream.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

namespace lanekeeper::testing {

UpstreamCall::~UpstreamCall() {
  if (!began_) return;
  if (!finished_) Finish();
  EXPECT_TRUE(AwaitDone(kPatience)) << "the upstream's call did not end";
}

std::chrono::milliseconds UpstreamCall::TimeLeft() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(context_.deadline() -
                                                               std::chrono::system_clock::now());
}

std::optional<std::string> UpstreamCall::Read() {
  stream_.Read(&read_, &read_tag_);
  if (!queue_.Await(&read_tag_).value_or(false)) return {};
  return ToBytes(read_);
}

bool UpstreamCall::Write(const std::string& bytes) { return WriteWithin(bytes, kPatience); }

bool UpstreamCall::WriteWithin(const std::string& bytes, std::chrono::milliseconds patience) {
  if (write_pending_) return false;
  stream_.Write(ToBuffer(bytes), &write_tag_);
  const std::optional<bool> written = queue_.Await(&write_tag_, patience);
  write_pending_ = !written.has_value();
  return written.value_or(false);
}

void UpstreamCall::SendHeaders(const MetadataPairs& headers) {
  for (const auto& [key, value] : headers) context_.AddInitialMetadata(key, value);
  stream_.SendInitialMetadata(&headers_tag_);
  queue_.Await(&headers_tag_);
}

void UpstreamCall::Finish(grpc::Status status, const MetadataPairs& trailers) {
  if (write_pending_) {
    queue_.Await(&write_tag_);
    write_pending_ = false;
  }
  for (const auto& [key, value] : trailers) context_.AddTrailingMetadata(key, value);
  stream_.Finish(status, &finish_tag_);
  finished_ = true;
  EXPECT_TRUE(queue_.Await(&finish_tag_).has_value()) << "the upstream's Finish did not complete";
}

bool UpstreamCall::AwaitDone(std::chrono::milliseconds patience) {
  if (!done_) done_ = queue_.Await(&done_tag_, patience).has_value();
  return done_;
}

// gRPC lets IsCancelled be asked only once the call's end has been told.
bool UpstreamCall::AwaitCancelled() { return AwaitDone(kPatience) && context_.IsCancelled(); }

FakeUpstream::FakeUpstream(Script script, int port,
                           const std::function<void(grpc::ServerBuilder&)>& set_up)
    : script_(std::move(script)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterAsyncGenericService(&service_);
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (set_up) set_up(builder);
  arrivals_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("the fake upstream cannot listen");
  accepting_ = std::thread([this] { Accept(); });
}

FakeUpstream::~FakeUpstream() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
  arrivals_->Shutdown();
  accepting_.join();
  for (std::thread& script : scripts_) script.join();
}

size_t FakeUpstream::connections() const {
  std::lock_guard lock(mutex_);
  return peers_.size();
}

void FakeUpstream::Accept() {
  for (;;) {
    std::unique_ptr<UpstreamCall> call(new UpstreamCall);
    call->context_.AsyncNotifyWhenDone(&call->done_tag_);
    std::unique_lock lock(mutex_);
    if (stopping_) return;  // gRPC aborts when a call is requested of a server that was shut down
    service_.RequestCall(&call->context_, &call->stream_, call->queue_.get(), arrivals_.get(),
                         call.get());
    lock.unlock();
    void* tag = nullptr;
    bool ok = false;
    if (!arrivals_->Next(&tag, &ok) || !ok)
      return;  // the end of a call that never began is not told
    call->began_ = true;
    ++calls_;
    lock.lock();
    peers_.insert(call->context_.peer());
    scripts_.emplace_back([this, call = std::move(call)] { script_(*call); });
  }
}

void Echo(UpstreamCall& call) {
  while (std::optional<std::string> request = call.Read()) {
    if (!call.Write(*request)) return;
  }
  call.Finish();
}

}  // namespace lanekeeper::testing
