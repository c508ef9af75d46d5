#include "tests/integration/hostile.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "proxy/log/log_event.h"

namespace lanekeeper::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr uint8_t kUnknownType = 0xfa;

Attack Flood(const char* name, const std::string& kind,
             std::function<std::string(uint32_t nth)> frames) {
  return {name, "flood", kind, std::move(frames)};
}

// Once is enough.
Attack Fault(const char* name, std::string frames) {
  return {name, "protocol_error", "",
          [frames = std::move(frames)](uint32_t nth) { return nth == 0 ? frames : ""; }};
}

// A block in HEADERS and CONTINUATION.
std::string Block(uint32_t stream, const std::string& block) {
  std::string bytes;
  for (size_t at = 0; at < block.size(); at += kLargestFrame) {
    const bool last = at + kLargestFrame >= block.size();
    bytes += FrameBytes(at == 0 ? kHeaders : kContinuation, last ? kEndHeaders : 0, stream,
                        block.substr(at, kLargestFrame));
  }
  return bytes;
}

std::string TenMegabytes() {
  std::string block;
  while (block.size() < 10'000'000) block += Literals({{"x-bomb", std::string(60'000, 'v')}});
  return block;
}

std::vector<Attack> Floods(uint32_t last_stream) {
  return {
      Flood("PING", "ping",
            [](uint32_t nth) { return FrameBytes(kPing, 0, 0, Word(0) + Word(nth)); }),
      Flood("PING acknowledgements", "ping",
            [](uint32_t) { return FrameBytes(kPing, kAck, 0, "nonesuch"); }),
      Flood("SETTINGS", "settings", [](uint32_t) { return FrameBytes(kSettings, 0, 0, ""); }),
      // RFC 9113 section 10.5 names them: each makes others walk all streams.
      Flood("SETTINGS that move all windows", "settings",
            [](uint32_t nth) {
              return FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, 1000 + nth % 2));
            }),
      Flood(
          "GOAWAY", "goaway",
          [=](uint32_t) { return FrameBytes(kGoAway, 0, 0, Word(last_stream) + Word(kNoError)); }),
      Flood("PRIORITY", "priority",
            [](uint32_t nth) {
              return FrameBytes(kPriority, 0, 2 * (nth % 1000) + 3, Word(1) + '\x10');
            }),
      Flood("WINDOW_UPDATE", "window_update",
            [](uint32_t) { return FrameBytes(kWindowUpdate, 0, 0, Word(1)); }),
      Flood("empty DATA", "empty_frame", [](uint32_t) { return FrameBytes(kData, 0, 1, ""); }),
      Flood("DATA of padding", "empty_frame",
            [](uint32_t) { return FrameBytes(kData, kPadded, 1, std::string("\x02\0\0", 3)); }),
      Flood("frames of unknown types", "unknown_frame",
            [](uint32_t) { return FrameBytes(kUnknownType, 0, 0, "?"); }),
  };
}

std::vector<Attack> Faults(uint32_t stream) {
  const std::string field(70'000, 'v');
  return {
      Fault("a header block of 10 MB", Block(stream, TenMegabytes())),
      {"a header block without end", "protocol_error", "",
       [stream](uint32_t nth) {
         return FrameBytes(nth == 0 ? kHeaders : kContinuation, 0, stream,
                           Literals({{"x-more", "v"}}));
       }},
      {"a header block of empty frames", "protocol_error", "",
       [stream](uint32_t nth) {
         return FrameBytes(nth == 0 ? kHeaders : kContinuation, 0, stream, "");
       }},
      Fault("a header field above 64 KiB", Block(stream, Literals({{"x-large", field}}))),
      // RFC 7541 section 6.3: 2^31 bytes, where 4096 are allowed.
      Fault("a compression table of 2 GiB",
            FrameBytes(kHeaders, kEndHeaders, stream, "\x3f\xe1\xff\xff\xff\x07")),
      Fault("a frame above the largest size",
            FrameBytes(kData, 0, 1, std::string(kLargestFrame + 1, 'x'))),
      Fault("a connection window above the largest",
            FrameBytes(kWindowUpdate, 0, 0, Word(kLargestWindow))),
      Fault("a first window above the largest",
            FrameBytes(kSettings, 0, 0, Setting(kInitialWindowSize, 0x80000000))),
      Fault("100 settings in one frame", FrameBytes(kSettings, 0, 0,
                                                    [] {
                                                      std::string settings;
                                                      for (int i = 0; i < 100; ++i)
                                                        settings +=
                                                            Setting(kInitialWindowSize, 70'000);
                                                      return settings;
                                                    }())),
      Fault("acknowledgements of no SETTINGS",
            FrameBytes(kSettings, kAck, 0, "") + FrameBytes(kSettings, kAck, 0, "")),
  };
}

}  // namespace

KeptLines::KeptLines()
    : before_(spdlog::default_logger()),
      sink_(std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(kLines)) {
  auto logger = std::make_shared<spdlog::logger>("test", sink_);
  logger->set_formatter(MakeLogFormatter(LogFormat::kText));
  spdlog::set_default_logger(std::move(logger));
}

size_t KeptLines::count(const std::string& text) const {
  const std::vector<std::string> lines = sink_->last_formatted();
  return static_cast<size_t>(std::count_if(
      lines.begin(), lines.end(), [&](const auto& line) { return line.find(text) != line.npos; }));
}

void MemoryWatch::ExpectGrownByLessThan(size_t bytes) const {
  const size_t now = Resident();
  if (!kSanitized) {
    EXPECT_LT(now, before_ + bytes) << "grown by " << now - before_;
  }
}

size_t MemoryWatch::Resident() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void CpuWatch::ExpectLessThan(std::chrono::nanoseconds time) const {
  const std::chrono::nanoseconds spent = Spent() - before_;
  if (!kSanitized) {
    EXPECT_LT(spent.count(), time.count());
  }
}

// The kernel names the time on a CPU first, in nanoseconds; threads that have ended are gone.
std::chrono::nanoseconds CpuWatch::Spent() {
  const auto name_of = [](const std::filesystem::path& thread) {
    std::string name;
    std::ifstream file(thread / "comm");
    std::getline(file, name);
    return name;
  };
  const std::string own = name_of("/proc/self");
  std::chrono::nanoseconds spent{0};
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    int64_t on_cpu = 0;
    if (name_of(thread.path()) != own) std::ifstream(thread.path() / "schedstat") >> on_cpu;
    spent += std::chrono::nanoseconds(on_cpu);
  }
  return spent;
}

std::vector<Attack> AttacksOfBothSides(uint32_t stream, uint32_t last_stream) {
  std::vector<Attack> attacks = Floods(last_stream);
  for (Attack& fault : Faults(stream)) attacks.push_back(std::move(fault));
  return attacks;
}

void Send(RawPeer& peer, const Attack& attack, uint32_t times) {
  constexpr uint32_t kBatch = 100;
  bool open = true;
  for (uint32_t nth = 0; open && nth < times;) {
    std::string batch;
    for (uint32_t i = 0; i < kBatch; ++i) batch += attack.frames(nth++);
    if (batch.empty()) return;
    open = peer.SendBytes(batch);
  }
}

Tally::Tally(const ProxyHarness& proxy, const std::string& side, const Attack& attack)
    : proxy_(proxy),
      faulty_({{"side", side}, {"reason", attack.reason}}),
      flooded_({{"side", side}, {"kind", attack.kind}}),
      is_flood_(!attack.kind.empty()),
      faulty_before_(faulty()),
      flooded_before_(flooded()) {}

double Tally::faulty() const {
  return proxy_.Metric("lanekeeper_faulty_connections_total", faulty_);
}

double Tally::flooded() const {
  return is_flood_ ? proxy_.Metric("lanekeeper_flooded_connections_total", flooded_) : 0;
}

void Tally::ExpectOne() const {
  EXPECT_TRUE(Eventually([this] { return faulty() == faulty_before_ + 1; })) << faulty();
  EXPECT_EQ(flooded(), flooded_before_ + (is_flood_ ? 1 : 0));
}

}  // namespace lanekeeper::testing
