#include "tests/integration/client_attacks.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace lanekeeper::testing {
namespace {

uint32_t NthStream(uint32_t nth) { return 2 * nth + 3; }

// Each breaks a rule of its stream, so that the proxy resets it (CVE-2025-8671).
std::vector<Attack> ForcedResets() {
  const auto flood = [](const char* name, std::function<std::string(uint32_t)> frames) {
    return Attack{name, "flood", "forced_reset", std::move(frames)};
  };
  return {
      flood("forced: WINDOW_UPDATE of nothing",
            [](uint32_t nth) {
              return Begun(nth) + FrameBytes(kWindowUpdate, 0, NthStream(nth), Word(0));
            }),
      flood("forced: a window above the largest",
            [](uint32_t nth) {
              return Begun(nth) +
                     FrameBytes(kWindowUpdate, 0, NthStream(nth), Word(kLargestWindow));
            }),
      flood("forced: no path",
            [](uint32_t nth) { return Begun(nth, Without(RequestFields(), ":path")); }),
      flood("forced: more than the content-length",
            [](uint32_t nth) {
              return Begun(nth, RequestFields({{"content-length", "1"}})) +
                     FrameBytes(kData, 0, NthStream(nth), "two");
            }),
      flood("forced: less than the content-length",
            [](uint32_t nth) {
              return Begun(nth, RequestFields({{"content-length", "9"}})) +
                     FrameBytes(kData, kEndStream, NthStream(nth), "few");
            }),
      flood("forced: trailers with pseudo-header fields",
            [](uint32_t nth) { return Begun(nth) + Begun(nth, RequestFields(), kEndStream); }),
      flood("forced: a second block that is no end",
            [](uint32_t nth) {
              return Begun(nth) + Begun(nth, {{"x-more", "v"}});
            }),
      // Every 50th moves the windows of the streams that were opened since beyond the largest.
      flood("forced: SETTINGS that make windows too large",
            [](uint32_t nth) {
              std::string frames = Begun(nth) + FrameBytes(kWindowUpdate, 0, NthStream(nth),
                                                           Word(kLargestWindow - kFirstWindow));
              if (nth % 50 != 49) return frames;
              return frames +
                     FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, kFirstWindow + 1)) +
                     FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, kFirstWindow));
            }),
      flood("forced: DATA behind RST_STREAM",
            [](uint32_t nth) {
              const uint32_t stream = NthStream(std::min(nth, 899u));
              return (nth < 900 ? Begun(nth) + FrameBytes(kRstStream, 0, stream, Word(kCancel))
                                : "") +
                     FrameBytes(kData, 0, stream, "x");
            }),
  };
}

}  // namespace

const std::string& RequestBlock() {
  static const std::string block = Literals(RequestFields());
  return block;
}

std::string Begun(uint32_t nth, const Fields& fields, uint8_t flags) {
  return FrameBytes(kHeaders, kEndHeaders | flags, NthStream(nth), Literals(fields));
}

std::vector<Attack> AttacksOfClients() {
  std::vector<Attack> attacks = ForcedResets();
  attacks.push_back({"rapid resets", "flood", "reset", [](uint32_t nth) {
                       return Begun(nth) + FrameBytes(kRstStream, 0, NthStream(nth), Word(kCancel));
                     }});
  attacks.push_back({"resets of a stream that is closed", "flood", "late_reset", [](uint32_t nth) {
                       return (nth == 0 ? Begun(nth) : "") +
                              FrameBytes(kRstStream, 0, NthStream(0), Word(kCancel));
                     }});
  attacks.push_back(
      {"SETTINGS that move the windows of many streams", "flood", "settings", [](uint32_t nth) {
         if (nth < 900) return Begun(nth);
         return FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, 1000 + nth % 2));
       }});
  attacks.push_back({"blocks in many pieces", "flood", "empty_frame", [](uint32_t nth) {
                       std::string frames = FrameBytes(kHeaders, 0, NthStream(nth), RequestBlock());
                       for (int i = 0; i < 100; ++i)
                         frames += FrameBytes(kContinuation, 0, NthStream(nth), "");
                       return frames + FrameBytes(kContinuation, kEndHeaders, NthStream(nth), "");
                     }});
  // Each is answered with a status of its own, and the answers are left unread.
  attacks.push_back({"requests whose answers are not read", "flood", "unread", [](uint32_t nth) {
                       return Begun(nth,
                                    RequestFields({{"grpc-timeout", std::to_string(nth) + "?"}}),
                                    kEndStream);
                     }});
  return attacks;
}

}  // namespace lanekeeper::testing
