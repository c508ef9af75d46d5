#include "tests/conformance/wire/stream.h"

#include <algorithm>

#include "tests/conformance/wire/connection.h"
#include "tests/conformance/wire/fields.h"

namespace lanekeeper::testing::wire {

Stream& Stream::Queue(std::vector<Step> steps, bool leaving) {
  std::lock_guard lock(connection_.mutex_);
  leaving_ = leaving_ || leaving;
  for (Step& step : steps) steps_.push_back(std::move(step));
  connection_.SubmitNext(*this);
  connection_.Flush();
  return *this;
}

Stream& Stream::Reset(uint32_t code) {
  return Queue({{Step::Kind::kReset, {}, {}, true, code}}, true);
}

Stream& Stream::ResetAtOnce(uint32_t code) {
  std::lock_guard lock(connection_.mutex_);
  leaving_ = true;
  // The step in flight is libnghttp2's until the stream is closed.
  steps_.erase(steps_.begin() + (step_in_flight_ ? 1 : 0), steps_.end());
  if (!closed_ && !connection_.lost_) {
    nghttp2_submit_rst_stream(connection_.session_, NGHTTP2_FLAG_NONE, id_, code);
  }
  connection_.Flush();
  return *this;
}

Stream& Stream::Page(Fields headers, std::string body) {
  return Queue(
      {{Step::Kind::kHeaders, std::move(headers)}, {Step::Kind::kData, {}, std::move(body), true}});
}

Stream& Stream::EndEarly(Fields fields) {
  return Queue({{Step::Kind::kHeaders, std::move(fields), {}, true},
                {Step::Kind::kReset, {}, {}, true, NGHTTP2_NO_ERROR}},
               true);
}

Stream& Stream::Message(const std::string& bytes, int flag) { return Data(Framed(bytes, flag)); }

Stream& Stream::LastMessage(const std::string& bytes, int flag) {
  return LastData(Framed(bytes, flag));
}

bool Stream::Await(const std::function<bool()>& condition,
                   std::chrono::milliseconds patience) const {
  std::unique_lock lock(connection_.mutex_);
  return connection_.changed_.wait_for(lock, patience, condition);
}

bool Stream::AwaitHeaders(std::chrono::milliseconds patience) {
  return Await([this] { return headers_came_; }, patience);
}

bool Stream::AwaitMessages(size_t count, std::chrono::milliseconds patience) {
  Await([&] { return ended_ || closed_ || CountOf(Event::Kind::kMessage) >= count; }, patience);
  return messages() >= count;
}

bool Stream::AwaitEnd(std::chrono::milliseconds patience) {
  return Await([this] { return ended_ || closed_; }, patience);
}

bool Stream::AwaitClosed(std::chrono::milliseconds patience) {
  return Await([this] { return closed_; }, patience);
}

bool Stream::AwaitSent(std::chrono::milliseconds patience) {
  return Await([this] { return closed_ || (steps_.empty() && !step_in_flight_); }, patience);
}

void Stream::StopReading() {
  std::lock_guard lock(connection_.mutex_);
  reading_ = false;
}

Events Stream::events() const {
  std::lock_guard lock(connection_.mutex_);
  return events_;
}

size_t Stream::CountOf(Event::Kind kind) const {
  return static_cast<size_t>(std::count_if(events_.begin(), events_.end(),
                                           [&](const Event& event) { return event.kind == kind; }));
}

size_t Stream::messages() const {
  std::lock_guard lock(connection_.mutex_);
  return CountOf(Event::Kind::kMessage);
}

bool Stream::ended() const {
  std::lock_guard lock(connection_.mutex_);
  return ended_;
}

bool Stream::was_reset() const {
  std::lock_guard lock(connection_.mutex_);
  return CountOf(Event::Kind::kReset) > 0;
}

}  // namespace lanekeeper::testing::wire
