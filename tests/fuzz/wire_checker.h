// Reads both directions of an HTTP/2 connection and holds what we send to what the peer has sent:
// whole frames on streams that are open, no byte beyond the windows that it gave, no credit beyond
// the bytes that it sent. Owns its counts. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lanekeeper::fuzz {

class WireChecker {
 public:
  // `preface_from_peer`: the peer is a client.
  explicit WireChecker(bool preface_from_peer);

  // In the order in which they travel.
  void PeerSent(std::string_view bytes);
  void WeSent(std::string_view bytes);

  uint64_t bytes_from_us() const { return bytes_from_us_; }

 private:
  struct Frame {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t id = 0;
    std::string_view payload;
  };
  struct StreamCounts {
    uint64_t granted = 0;   // by the peer's WINDOW_UPDATE
    uint64_t sent = 0;      // DATA
    uint64_t received = 0;  // DATA
    uint64_t returned = 0;  // by our WINDOW_UPDATE
    bool ended = false;     // by our END_STREAM or RST_STREAM
  };
  // Bytes of one direction that make no whole frame yet.
  struct Unread {
    std::string bytes;
    size_t preface_left = 0;
  };

  template <class OnFrame>
  void Read(Unread& unread, std::string_view bytes, OnFrame on_frame);
  void OnPeersFrame(const Frame& frame);
  void OnPeersSettings(std::string_view payload);
  void OnOurFrame(const Frame& frame);
  void OnOurData(const Frame& frame);
  void OnOurCredit(const Frame& frame);

  Unread from_peer_;
  Unread from_us_;
  std::map<uint32_t, StreamCounts> streams_;
  uint64_t bytes_from_us_ = 0;
  uint64_t data_sent_ = 0;
  uint64_t data_received_ = 0;
  uint64_t granted_ = 65535;   // of the connection's window, by the peer
  uint64_t returned_ = 65535;  // by us
  uint64_t stream_window_max_ = 65535;
  uint64_t frame_bytes_max_ = 16384;
  uint32_t continued_id_ = 0;  // whose header block we are sending
};

}  // namespace lanekeeper::fuzz
