// What the tests of hostile peers share: the log's lines, the process's memory, the proxy's CPU,
// and attacks as rows of a table.
#pragma once

#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/raw_peer.h"

namespace lanekeeper::testing {

// Keeps the log's lines while it lives. Made before the proxy and destroyed after it.
class KeptLines {
 public:
  KeptLines();
  ~KeptLines() { spdlog::set_default_logger(before_); }
  KeptLines(const KeptLines&) = delete;
  KeptLines& operator=(const KeptLines&) = delete;

  // How many of them say this.
  size_t count(const std::string& text) const;

 private:
  static constexpr size_t kLines = 10'000;

  const std::shared_ptr<spdlog::logger> before_;
  const std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> sink_;
};

// Memory of the test and its proxy. Sanitizers take some of their own: then it is not judged.
class MemoryWatch {
 public:
  MemoryWatch() : before_(Resident()) {}
  void ExpectGrownByLessThan(size_t bytes) const;

 private:
  static size_t Resident();
  const size_t before_;
};

// CPU of all threads but the test's own, which have its name. Sanitizers take some of their own.
class CpuWatch {
 public:
  CpuWatch() : before_(Spent()) {}
  void ExpectLessThan(std::chrono::nanoseconds time) const;

 private:
  static std::chrono::nanoseconds Spent();
  const std::chrono::nanoseconds before_;
};

// The whole of one, from the first frame until the connection is lost: it takes 5 ms at most, or
// 60 ms with streams, and 0.5 s until the answers to requests fill the socket.
inline constexpr std::chrono::milliseconds kCpuOfAnAttack{1000};

struct Attack {
  const char* name;
  // Labels of lanekeeper_faulty_connections_total and, of a flood, _flooded_connections_total.
  std::string reason;
  std::string kind;
  // What is sent, one number after another, until the connection is lost. Stream 1 is open.
  std::function<std::string(uint32_t nth)> frames;
};

// Those that either side can make. Header blocks are for this stream, GOAWAY names the last one of
// ours that has been seen.
std::vector<Attack> AttacksOfBothSides(uint32_t stream, uint32_t last_stream);
// Sends it until the connection is lost or this has been sent so often.
void Send(RawPeer& peer, const Attack& attack, uint32_t times);

// How many connections of a side have ended as the attack should, from its construction on.
class Tally {
 public:
  Tally(const ProxyHarness& proxy, const std::string& side, const Attack& attack);
  // Waits for it.
  void ExpectOne() const;

 private:
  double faulty() const;
  double flooded() const;

  const ProxyHarness& proxy_;
  const MetricLabels faulty_;
  const MetricLabels flooded_;
  const bool is_flood_;
  const double faulty_before_;
  const double flooded_before_;
};

}  // namespace lanekeeper::testing
