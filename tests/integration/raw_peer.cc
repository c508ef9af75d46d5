#include "tests/integration/raw_peer.h"

#include <algorithm>

namespace lanekeeper::testing {

using std::chrono::milliseconds;

std::string Word(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string Setting(SettingId id, uint32_t value) {
  return std::string{'\0', static_cast<char>(id)} + Word(value);
}

Fields RequestFields(const Fields& more, const std::string& path) {
  Fields fields = {{":method", "POST"}, {":scheme", "http"},
                   {":path", path},     {":authority", "localhost"},
                   {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Fields ResponseFields(const Fields& more) {
  Fields fields = {{":status", "200"}, {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Fields With(Fields fields, const std::string& name, const std::string& value) {
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

Fields Without(Fields fields, const std::string& name) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

std::vector<std::string> Values(const Fields& fields, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& field : fields) {
    if (field.first == name) values.push_back(field.second);
  }
  return values;
}

std::string RawPeer::Stream::Value(const std::string& name) const {
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    const std::vector<std::string> values = Values(*block, name);
    if (!values.empty()) return values.back();
  }
  return "";
}

RawPeer RawPeer::Dial(const ProxyHarness& proxy, const std::string& settings) {
  const std::string address = proxy.address();
  return RawPeer(RawHttp2::Dial(std::stoi(address.substr(address.rfind(':') + 1)), settings));
}

size_t RawPeer::over() const {
  return static_cast<size_t>(std::count_if(streams_.begin(), streams_.end(),
                                           [](const auto& entry) { return entry.second.over(); }));
}

std::optional<uint32_t> RawPeer::setting(SettingId id) const {
  const auto at = settings_.find(id);
  if (at == settings_.end()) return {};
  return at->second;
}

int64_t RawPeer::window(uint32_t stream) const {
  const int64_t first =
      stream == 0 ? kFirstWindow : setting(kInitialWindowSize).value_or(kFirstWindow);
  const auto at = granted_.find(stream);
  return at == granted_.end() ? first : first + at->second;
}

bool RawPeer::Await(const std::function<bool()>& condition, milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds(0)) return false;
    const std::optional<Frame> frame = http2_.ReadAny(left);
    if (!frame) return condition();
    Keep(*frame);
  }
  return true;
}

bool RawPeer::AwaitOver(uint32_t stream) {
  return Await([&] { return streams_[stream].over(); });
}

bool RawPeer::AwaitHeaders(uint32_t stream) {
  return Await([&] { return !streams_[stream].blocks.empty(); });
}

bool RawPeer::AwaitData(uint32_t stream, size_t bytes) {
  return Await([&] { return streams_[stream].data.size() >= bytes; });
}

bool RawPeer::AwaitClosed(milliseconds patience) {
  return Await([&] { return http2_.closed(); }, patience);
}

void RawPeer::Serve(const std::function<void(uint32_t stream)>& answer) {
  std::set<uint32_t> answered;
  Await(
      [&] {
        // An answer may read, and so make new streams.
        std::vector<uint32_t> whole;
        for (const auto& [id, stream] : streams_) {
          if (stream.ended && answered.insert(id).second) whole.push_back(id);
        }
        for (const uint32_t id : whole) answer(id);
        return http2_.closed();
      },
      std::chrono::seconds(100));
}

void RawPeer::Headers(uint32_t stream, const Fields& fields, uint8_t flags) {
  std::string block = Literals(fields);
  std::string bytes;
  uint8_t type = kHeaders;
  while (block.size() > kLargestFrame) {
    bytes += FrameBytes(type, flags, stream, block.substr(0, kLargestFrame));
    block.erase(0, kLargestFrame);
    type = kContinuation;
    flags = 0;
  }
  SendBytes(bytes + FrameBytes(type, static_cast<uint8_t>(flags | kEndHeaders), stream, block));
}

bool RawPeer::AwaitRoom(uint32_t stream, size_t bytes) {
  return Await([&] { return std::min(window(0), window(stream)) >= static_cast<int64_t>(bytes); });
}

bool RawPeer::SendData(uint8_t flags, uint32_t stream, const std::string& payload) {
  granted_[0] -= static_cast<int64_t>(payload.size());
  granted_[stream] -= static_cast<int64_t>(payload.size());
  return Send(kData, flags, stream, payload);
}

bool RawPeer::Data(uint32_t stream, const std::string& bytes, uint8_t flags) {
  size_t sent = 0;
  do {
    const size_t left = bytes.size() - sent;
    if (left > 0 && !AwaitRoom(stream, 1)) return false;
    const auto room =
        static_cast<size_t>(std::max<int64_t>(std::min(window(0), window(stream)), 0));
    const size_t n = std::min({left, kLargestFrame, room});
    if (!SendData(n == left ? flags : 0, stream, bytes.substr(sent, n))) return false;
    sent += n;
  } while (sent < bytes.size());
  return true;
}

bool RawPeer::PaddedData(uint32_t stream, const std::string& bytes, uint8_t padding) {
  const std::string payload = static_cast<char>(padding) + bytes + std::string(padding, '\0');
  return AwaitRoom(stream, payload.size()) && SendData(kPadded, stream, payload);
}

void RawPeer::Ask(uint32_t stream, const std::string& message, const Fields& more) {
  Headers(stream, RequestFields(more));
  Data(stream, Framed(message), kEndStream);
}

void RawPeer::Finish(uint32_t stream, const std::string& status) {
  Headers(stream, {{"grpc-status", status}}, kEndStream);
}

void RawPeer::Answer(uint32_t stream, const std::string& message) {
  Respond(stream);
  Data(stream, Framed(message));
  Finish(stream);
}

void RawPeer::Release(uint32_t stream) {
  const uint32_t bytes = std::exchange(held_[stream], 0);
  held_.erase(stream);
  if (bytes == 0) return;
  Update(0, bytes);
  if (!streams_[stream].over()) Update(stream, bytes);
}

void RawPeer::Keep(const Frame& frame) {
  switch (frame.type) {
    case kHeaders:
      streams_[frame.stream].blocks.push_back(frame.fields);
      streams_[frame.stream].never_indexed.insert(frame.never_indexed.begin(),
                                                  frame.never_indexed.end());
      break;
    case kData:
      streams_[frame.stream].data += frame.payload;
      ++streams_[frame.stream].data_frames;
      GiveCredit(frame);
      break;
    case kRstStream:
      streams_[frame.stream].reset = frame.Word(0);
      return;
    case kWindowUpdate:
      granted_[frame.stream] += frame.Word(0);
      return;
    case kGoAway:
      goaways_.push_back(frame);
      return;
    case kSettings:
      KeepSettings(frame);
      return;
    case kPing:
      if ((frame.flags & kAck) == 0) Send(kPing, kAck, 0, frame.payload);
      ++((frame.flags & kAck) == 0 ? pings_ : pings_acknowledged_);
      return;
    default:
      return;
  }
  if ((frame.flags & kEndStream) != 0) streams_[frame.stream].ended = true;
}

void RawPeer::KeepSettings(const Frame& frame) {
  if ((frame.flags & kAck) != 0) {
    ++settings_acknowledged_;
    return;
  }
  for (size_t at = 0; at + 6 <= frame.payload.size(); at += 6) {
    settings_[static_cast<uint16_t>(frame.Word(at) >> 16)] = frame.Word(at + 2);
  }
  Send(kSettings, kAck, 0, "");
}

void RawPeer::GiveCredit(const Frame& frame) {
  const auto bytes = static_cast<uint32_t>(frame.payload.size());
  if (bytes == 0) return;
  if (const auto held = held_.find(frame.stream); held != held_.end()) {
    held->second += bytes;
    return;
  }
  Update(0, bytes);
  if ((frame.flags & kEndStream) == 0) Update(frame.stream, bytes);
}

}  // namespace lanekeeper::testing
