#include "tests/unit/admin/fake_control.h"

#include <chrono>
#include <utility>

namespace lanekeeper::testing {
namespace {

using namespace std::chrono_literals;

bool Matches(const StreamFilter& filter, const StreamSnapshot& stream) {
  if (stream.method.find(filter.method) == std::string::npos) return false;
  if (stream.downstream_peer.find(filter.peer) == std::string::npos) return false;
  if (filter.stuck && !stream.stall) return false;
  if (filter.state && stream.to_upstream.state != *filter.state &&
      stream.to_downstream.state != *filter.state) {
    return false;
  }
  return stream.age >= filter.min_age;
}

}  // namespace

StreamSnapshot SomeStream(StreamId id) {
  StreamSnapshot stream;
  stream.id = id;
  stream.method = "/demo.Echo/Chat";
  stream.downstream_peer = "ipv4:127.0.0.1:34567";
  stream.started = std::chrono::system_clock::time_point(1'700'000'000'123ms);
  stream.age = 61s + 5ms;
  stream.deadline_left = 2500ms;
  stream.thread_kind = RpcThreadKind::kKernel;
  stream.attempts = 2;
  stream.answered = true;
  stream.to_upstream = {LaneState::kHalfClosed, WaitingFor::kNobody, 3s, 7, 700, 11ms, 12ms};
  stream.to_downstream = {LaneState::kSending, WaitingFor::kReceiver, 4s, 0, 0, 13ms, 14ms};
  return stream;
}

FakeControl::FakeControl() {
  config_.listen = {{"127.0.0.1:50051"}};
  config_.upstream.address = "upstream.example:443";
}

void FakeControl::Add(StreamSnapshot stream) {
  std::lock_guard lock(mutex_);
  streams_[stream.id] = std::move(stream);
}

void FakeControl::AddMany(size_t count) {
  for (StreamId id = 1; id <= count; ++id) Add(SomeStream(id));
}

void FakeControl::Change(StreamId id, const std::function<void(StreamSnapshot&)>& change) {
  std::lock_guard lock(mutex_);
  change(streams_.at(id));
}

void FakeControl::Remove(StreamId id) {
  std::lock_guard lock(mutex_);
  streams_.erase(id);
}

void FakeControl::RefuseDrain() {
  std::lock_guard lock(mutex_);
  can_drain_ = false;
}

std::string FakeControl::cancel_reason() const {
  std::lock_guard lock(mutex_);
  return cancel_reason_;
}

int FakeControl::drains() const {
  std::lock_guard lock(mutex_);
  return drains_;
}

int FakeControl::looks() const {
  std::lock_guard lock(mutex_);
  return looks_;
}

StreamPage FakeControl::ListStreams(const StreamFilter& filter, StreamId after, size_t max) {
  std::lock_guard lock(mutex_);
  ++looks_;
  StreamPage page;
  for (const auto& [id, stream] : streams_) {
    if (!Matches(filter, stream)) continue;
    ++page.matching;
    if (id <= after) continue;
    if (page.streams.size() < max)
      page.streams.push_back(stream);
    else
      page.more = true;
  }
  return page;
}

std::optional<StreamSnapshot> FakeControl::FindStream(StreamId id) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return std::nullopt;
  return found->second;
}

std::optional<StreamSnapshot> FakeControl::CancelStream(StreamId id, const std::string& reason) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return std::nullopt;
  cancel_reason_ = reason;
  StreamSnapshot was = std::move(found->second);
  streams_.erase(found);
  return was;
}

adminpb::Totals FakeControl::Totals() {
  std::lock_guard lock(mutex_);
  adminpb::Totals totals;
  totals.set_streams_open(streams_.size());
  totals.set_upstream_address(config_.upstream.address);
  return totals;
}

bool FakeControl::RequestDrain() {
  std::lock_guard lock(mutex_);
  if (can_drain_) ++drains_;
  return can_drain_;
}

void FakeControl::ReloadTo(std::optional<ReloadOutcome> outcome) {
  std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
}

std::vector<std::string> FakeControl::reloads() const {
  std::lock_guard lock(mutex_);
  return reloads_;
}

std::optional<ReloadOutcome> FakeControl::Reload(const std::string& who) {
  std::lock_guard lock(mutex_);
  reloads_.push_back(who);
  return outcome_;
}

std::optional<ReloadOutcome> FakeControl::PreviewReload(const std::optional<ConfigText>& text) {
  std::lock_guard lock(mutex_);
  reloads_.push_back("preview");
  if (text) reloads_.push_back(text->name + ": " + text->yaml);
  return outcome_;
}

std::chrono::system_clock::time_point FakeControl::started() const {
  return std::chrono::system_clock::time_point(1'600'000'000s);
}

}  // namespace lanekeeper::testing
