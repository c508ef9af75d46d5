#include "tests/fuzz/wire_checker.h"

#include <algorithm>

#include "tests/fuzz/check.h"

namespace lanekeeper::fuzz {
namespace {

constexpr size_t kPrefaceBytes = 24;
constexpr size_t kFrameHeaderBytes = 9;
constexpr uint32_t kIdMask = 0x7fffffff;
// What we give of our own accord: the connection's window, and what a stream's may grow to.
constexpr uint64_t kConnectionWindow = 1 << 30;
constexpr uint64_t kStreamWindowMax = 1 << 20;

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint16_t kInitialWindowSize = 4;
constexpr uint16_t kMaxFrameSize = 5;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

WireChecker::WireChecker(bool preface_from_peer) {
  (preface_from_peer ? from_peer_ : from_us_).preface_left = kPrefaceBytes;
}

template <class OnFrame>
void WireChecker::Read(Unread& unread, std::string_view bytes, OnFrame on_frame) {
  const size_t preface = std::min(unread.preface_left, bytes.size());
  unread.preface_left -= preface;
  bytes.remove_prefix(preface);
  unread.bytes += bytes;
  std::string_view rest = unread.bytes;
  while (rest.size() >= kFrameHeaderBytes) {
    const size_t length = Number(rest.substr(0, 3));
    if (&unread == &from_us_) {
      Check(length <= frame_bytes_max_, "a frame is as large as the peer allows");
    }
    if (rest.size() < kFrameHeaderBytes + length) break;
    on_frame(Frame{static_cast<uint8_t>(rest[3]), static_cast<uint8_t>(rest[4]),
                   Number(rest.substr(5, 4)) & kIdMask, rest.substr(kFrameHeaderBytes, length)});
    rest.remove_prefix(kFrameHeaderBytes + length);
  }
  unread.bytes.erase(0, unread.bytes.size() - rest.size());
}

void WireChecker::PeerSent(std::string_view bytes) {
  Read(from_peer_, bytes, [this](const Frame& frame) { OnPeersFrame(frame); });
}

void WireChecker::WeSent(std::string_view bytes) {
  bytes_from_us_ += bytes.size();
  Read(from_us_, bytes, [this](const Frame& frame) { OnOurFrame(frame); });
}

// What the peer may have broken is taken at its most generous: the bounds stay bounds.
void WireChecker::OnPeersFrame(const Frame& frame) {
  if (frame.type == kData) {
    streams_[frame.id].received += frame.payload.size();
    data_received_ += frame.payload.size();
  } else if (frame.type == kSettings && (frame.flags & kAck) == 0) {
    OnPeersSettings(frame.payload);
  } else if (frame.type == kWindowUpdate && frame.payload.size() == 4) {
    const uint64_t increment = Number(frame.payload) & kIdMask;
    (frame.id == 0 ? granted_ : streams_[frame.id].granted) += increment;
  }
}

void WireChecker::OnPeersSettings(std::string_view payload) {
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    const uint32_t key = Number(payload.substr(0, 2));
    const uint64_t value = Number(payload.substr(2, 4));
    if (key == kInitialWindowSize) stream_window_max_ = std::max(stream_window_max_, value);
    if (key == kMaxFrameSize) frame_bytes_max_ = std::max(frame_bytes_max_, value);
  }
}

void WireChecker::OnOurFrame(const Frame& frame) {
  Check(frame.type <= kContinuation && frame.type != kPushPromise && frame.type != kPriority,
        "we send frames of known types");
  Check((frame.type == kContinuation) == (continued_id_ != 0), "a header block is in one piece");
  Check(continued_id_ == 0 || continued_id_ == frame.id, "a header block is in one piece");
  const bool of_connection =
      frame.type == kSettings || frame.type == kPing || frame.type == kGoaway;
  if (frame.type != kWindowUpdate) Check((frame.id == 0) == of_connection, "a frame has its id");
  switch (frame.type) {
    case kData:
      OnOurData(frame);
      [[fallthrough]];
    case kHeaders:
      Check(!streams_[frame.id].ended, "nothing is sent behind the end of a stream");
      if ((frame.flags & kEndStream) != 0) streams_[frame.id].ended = true;
      if (frame.type == kHeaders && (frame.flags & kEndHeaders) == 0) continued_id_ = frame.id;
      break;
    case kContinuation:
      if ((frame.flags & kEndHeaders) != 0) continued_id_ = 0;
      break;
    case kRstStream:
      Check(frame.payload.size() == 4, "RST_STREAM holds a code");
      streams_[frame.id].ended = true;
      break;
    case kWindowUpdate:
      OnOurCredit(frame);
      break;
    default:
      break;
  }
}

void WireChecker::OnOurData(const Frame& frame) {
  StreamCounts& stream = streams_[frame.id];
  stream.sent += frame.payload.size();
  data_sent_ += frame.payload.size();
  Check(stream.sent <= stream_window_max_ + stream.granted, "a stream keeps to its window");
  Check(data_sent_ <= granted_, "a connection keeps to its window");
}

void WireChecker::OnOurCredit(const Frame& frame) {
  Check(frame.payload.size() == 4, "WINDOW_UPDATE holds a number");
  const uint64_t increment = Number(frame.payload) & kIdMask;
  Check(increment > 0, "credit is something");
  if (frame.id == 0) {
    returned_ += increment;
    Check(returned_ <= kConnectionWindow + data_received_, "a connection's credit adds up");
    return;
  }
  StreamCounts& stream = streams_[frame.id];
  stream.returned += increment;
  Check(stream.returned <= stream.received + kStreamWindowMax, "a stream's credit adds up");
}

}  // namespace lanekeeper::fuzz
