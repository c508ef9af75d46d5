// What a connection is about to write: small pieces copied one behind the other, large ones by
// reference, gathered into one writev. Owned by the connection; its loop's thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/net/transport.h"

namespace lanekeeper::http2 {

class Output {
 public:
  // Smaller pieces are copied: an entry of the gather list costs about as much.
  static constexpr uint32_t kCopiedBytesMax = 1024;

  explicit Output(Buffers& buffers) : buffers_(buffers) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { Clear(); }

  void Append(const void* data, size_t size) {
    copied_.append(static_cast<const char*>(data), size);
    bytes_ += size;
  }
  // A slice of a block: takes a reference if it is large.
  void Append(Block* block, const uint8_t* data, uint32_t size);

  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  void Clear();

  enum class Written { kAll, kSome, kFailed };
  // kSome: the socket takes no more now; it tells when it does. kFailed: errno says why. Under TLS
  // bytes leave this when they are made records of, and the transport may keep some (`unsent`).
  Written WriteTo(Transport& transport) {
    return transport.tls() == nullptr ? WritePlain(transport.fd())
                                      : WriteSealed(transport.fd(), *transport.tls());
  }

 private:
  struct Piece {
    Block* block;         // null: copied_[offset, offset + size)
    const uint8_t* data;  // of the block
    size_t offset;
    size_t size;
  };

  Written WritePlain(int fd);
  Written WriteSealed(int fd, TlsSession& tls);
  bool SealRecord(TlsSession& tls);
  const uint8_t* BytesOf(const Piece& piece) const {
    return piece.block != nullptr ? piece.data
                                  : reinterpret_cast<const uint8_t*>(copied_.data()) + piece.offset;
  }
  void CloseCopied();
  void CountHeld(size_t bytes);
  void Unpin();
  void Remove(size_t bytes);

  Buffers& buffers_;
  std::string copied_;
  size_t copied_from_ = 0;  // where the piece that still grows begins
  std::vector<Piece> pieces_;
  size_t first_ = 0;  // of pieces_, not written yet
  size_t bytes_ = 0;
  size_t held_ = 0;  // of the copied bytes, as the budget knows
};

}  // namespace lanekeeper::http2
