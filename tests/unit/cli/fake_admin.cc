#include "tests/unit/cli/fake_admin.h"

#include <algorithm>
#include <chrono>

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

constexpr int kLooksUntilGone = 2;

}  // namespace

FakeAdmin::FakeAdmin() {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeAdmin::~FakeAdmin() { Stop(); }

void FakeAdmin::Stop() {
  // At once: a watch that stays would hold it.
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  // The sanitizer for threads does not see how gRPC, which it has not compiled, waits for its own.
  const std::lock_guard<std::mutex> seen(mutex_);
}

std::vector<v1::ListStreamsRequest> FakeAdmin::list_requests() {
  const std::lock_guard lock(mutex_);
  return list_requests_;
}

std::vector<v1::CancelStreamRequest> FakeAdmin::cancel_requests() {
  const std::lock_guard lock(mutex_);
  return cancel_requests_;
}

std::vector<v1::WatchStreamsRequest> FakeAdmin::watch_requests() {
  const std::lock_guard lock(mutex_);
  return watch_requests_;
}

std::vector<v1::ReloadRequest> FakeAdmin::reload_requests() {
  const std::lock_guard lock(mutex_);
  return reload_requests_;
}

int FakeAdmin::drains() {
  const std::lock_guard lock(mutex_);
  return drains_;
}

void FakeAdmin::AwaitWatch() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return watched_; });
}

const v1::Stream* FakeAdmin::Find(uint64_t id) const {
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [id](const v1::Stream& stream) { return stream.id() == id; });
  return found == streams.end() ? nullptr : &*found;
}

// The token is the last id of the page before.
grpc::Status FakeAdmin::ListStreams(grpc::ServerContext*, const v1::ListStreamsRequest* request,
                                    v1::ListStreamsResponse* answer) {
  if (!refusal.ok()) return refusal;
  const std::lock_guard lock(mutex_);
  list_requests_.push_back(*request);
  const uint64_t after = request->page_token().empty() ? 0 : std::stoull(request->page_token());
  for (const v1::Stream& stream : streams) {
    if (stream.id() <= after || (request->filter().stuck() && !stream.has_stall())) continue;
    if (answer->streams_size() == static_cast<int>(request->page_size())) {
      answer->set_next_page_token(std::to_string(answer->streams().rbegin()->id()));
      break;
    }
    *answer->add_streams() = stream;
  }
  *answer->mutable_totals() = totals;
  answer->mutable_totals()->set_streams_matching(streams.size());
  return grpc::Status::OK;
}

grpc::Status FakeAdmin::WatchStreams(grpc::ServerContext* context,
                                     const v1::WatchStreamsRequest* request,
                                     grpc::ServerWriter<v1::WatchStreamsResponse>* writer) {
  for (const v1::WatchStreamsResponse& look : looks) writer->Write(look);
  {
    const std::lock_guard lock(mutex_);
    watch_requests_.push_back(*request);
    watched_ = true;
  }
  changed_.notify_all();
  while (watch_stays && !context->IsCancelled()) writer->Write(v1::WatchStreamsResponse());
  return watch_ends;
}

grpc::Status FakeAdmin::GetStream(grpc::ServerContext*, const v1::GetStreamRequest* request,
                                  v1::Stream* answer) {
  if (!refusal.ok()) return refusal;
  const v1::Stream* stream = Find(request->id());
  if (stream == nullptr) return grpc::Status(grpc::StatusCode::NOT_FOUND, "");
  *answer = *stream;
  return grpc::Status::OK;
}

grpc::Status FakeAdmin::CancelStream(grpc::ServerContext*, const v1::CancelStreamRequest* request,
                                     v1::CancelStreamResponse* answer) {
  if (!refusal.ok()) return refusal;
  const std::lock_guard lock(mutex_);
  cancel_requests_.push_back(*request);
  const v1::Stream* stream = Find(request->id());
  if (stream == nullptr) return grpc::Status(grpc::StatusCode::NOT_FOUND, "");
  *answer->mutable_stream() = *stream;
  return grpc::Status::OK;
}

grpc::Status FakeAdmin::Drain(grpc::ServerContext*, const v1::DrainRequest*,
                              v1::DrainResponse* answer) {
  if (!refusal.ok()) return refusal;
  const std::lock_guard lock(mutex_);
  ++drains_;
  answer->set_streams_open(totals.streams_open());
  answer->mutable_timeout()->set_seconds(25);
  return grpc::Status::OK;
}

grpc::Status FakeAdmin::SetLogLevel(grpc::ServerContext*, const v1::SetLogLevelRequest* request,
                                    v1::SetLogLevelResponse* answer) {
  if (!refusal.ok()) return refusal;
  answer->set_previous("info");
  answer->set_level(request->level());
  return grpc::Status::OK;
}

// Some looks after a drain, another process answers at the address.
grpc::Status FakeAdmin::Reload(grpc::ServerContext*, const v1::ReloadRequest* request,
                               v1::ReloadResponse* answer) {
  const std::lock_guard lock(mutex_);
  reload_requests_.push_back(*request);
  *answer = reload_answer;
  return refusal;
}

grpc::Status FakeAdmin::GetVersion(grpc::ServerContext*, const v1::GetVersionRequest*,
                                   v1::GetVersionResponse* answer) {
  if (!refusal.ok()) return refusal;
  const std::lock_guard lock(mutex_);
  if (drains_ > 0) ++versions_since_drain_;
  const bool gone = ends_when_drained && versions_since_drain_ > kLooksUntilGone;
  answer->mutable_started()->set_seconds(gone ? 2000 : 1000);
  return grpc::Status::OK;
}

}  // namespace lanekeeper
