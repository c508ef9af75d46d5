#include "tests/support/downstream_call.h"

#include <gtest/gtest.h>

namespace lanekeeper::testing {

DownstreamCall::DownstreamCall(std::shared_ptr<grpc::Channel> channel, std::string method)
    : stub_(std::move(channel)), method_(std::move(method)) {}

DownstreamCall::~DownstreamCall() {
  if (!started_) return;
  if (!finished_) {
    context_.TryCancel();
    Finish();
  }
}

void DownstreamCall::AddMetadata(const std::string& key, const std::string& value) {
  context_.AddMetadata(key, value);
}

void DownstreamCall::SetTimeout(std::chrono::milliseconds timeout) {
  context_.set_deadline(std::chrono::system_clock::now() + timeout);
}

DownstreamCall& DownstreamCall::Start() {
  stream_ = stub_.PrepareCall(&context_, method_, queue_.get());
  stream_->StartCall(&start_tag_);
  started_ = true;
  queue_.Await(&start_tag_);
  return *this;
}

bool DownstreamCall::Write(const std::string& bytes) { return WriteWithin(bytes, kPatience); }

bool DownstreamCall::WriteWithin(const std::string& bytes, std::chrono::milliseconds patience) {
  stream_->Write(ToBuffer(bytes), &write_tag_);
  return queue_.Await(&write_tag_, patience).value_or(false);
}

bool DownstreamCall::AwaitWrite() { return queue_.Await(&write_tag_).value_or(false); }

bool DownstreamCall::WritesDone() {
  writes_done_ = true;
  stream_->WritesDone(&writes_done_tag_);
  return queue_.Await(&writes_done_tag_).value_or(false);
}

bool DownstreamCall::AwaitHeaders(std::chrono::milliseconds patience) {
  if (!headers_asked_) stream_->ReadInitialMetadata(&headers_tag_);
  headers_asked_ = true;
  return queue_.Await(&headers_tag_, patience).value_or(false);
}

std::optional<std::string> DownstreamCall::Read() {
  stream_->Read(&read_, &read_tag_);
  const std::optional<bool> read = queue_.Await(&read_tag_);
  EXPECT_TRUE(read.has_value()) << "no response and no end came";
  if (!read.value_or(false)) return {};
  return ToBytes(read_);
}

grpc::Status DownstreamCall::Finish() {
  if (!finished_) {
    stream_->Finish(&status_, &finish_tag_);
    finished_ = true;
    if (!queue_.Await(&finish_tag_)) {
      ADD_FAILURE() << "the RPC did not end";
      context_.TryCancel();
      queue_.Await(&finish_tag_);
    }
  }
  return status_;
}

grpc::Status DownstreamCall::End() {
  if (!writes_done_) WritesDone();
  while (Read()) {
  }
  return Finish();
}

UnaryResult Unary(const std::shared_ptr<grpc::Channel>& channel, const std::string& request,
                  const std::string& method) {
  DownstreamCall call(channel, method);
  call.Start();
  call.Write(request);
  call.WritesDone();
  UnaryResult result;
  result.response = call.Read().value_or("");
  while (call.Read()) {
  }
  result.status = call.Finish();
  return result;
}

}  // namespace lanekeeper::testing
