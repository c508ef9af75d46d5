#include "proxy/http2/output.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lanekeeper::http2 {
namespace {

constexpr size_t kPiecesMax = 64;
// What a connection keeps of its buffer when all has been written: while it is busy, and once it
// has become quiet.
constexpr size_t kKeptBusyBytes = 64 * 1024;
constexpr size_t kKeptQuietBytes = 4 * 1024;

}  // namespace

void Output::Append(Block* block, const uint8_t* data, uint32_t size) {
  if (size < kCopiedBytesMax) return Append(data, size);
  CloseCopied();
  ++block->references;
  pieces_.push_back({block, data, 0, size});
  bytes_ += size;
}

void Output::CloseCopied() {
  if (copied_.size() == copied_from_) return;
  pieces_.push_back({nullptr, nullptr, copied_from_, copied_.size() - copied_from_});
  copied_from_ = copied_.size();
}

// Once for what stays: that which leaves with its turn is not looked at.
void Output::CountHeld(size_t bytes) {
  if (bytes == held_) return;
  buffers_.budget().Add(static_cast<int64_t>(bytes) - static_cast<int64_t>(held_));
  held_ = bytes;
}

void Output::Clear() {
  CountHeld(0);
  for (; first_ < pieces_.size(); ++first_) {
    if (pieces_[first_].block != nullptr) buffers_.Release(pieces_[first_].block);
  }
  pieces_.clear();
  first_ = 0;
  const bool quiet = copied_.size() < copied_.capacity() / 8;
  copied_.clear();
  if (copied_.capacity() > (quiet ? kKeptQuietBytes : kKeptBusyBytes)) copied_.shrink_to_fit();
  copied_from_ = 0;
  bytes_ = 0;
}

void Output::Remove(size_t bytes) {
  bytes_ -= bytes;
  while (bytes > 0) {
    Piece& piece = pieces_[first_];
    const size_t part = std::min(bytes, piece.size);
    bytes -= part;
    piece.size -= part;
    piece.offset += part;
    piece.data += piece.block != nullptr ? part : 0;
    if (piece.size > 0) return;
    if (piece.block != nullptr) buffers_.Release(piece.block);
    ++first_;
  }
}

// What the socket does not take may wait for long: pieces of blocks that are much larger than all
// of it get blocks of their own.
void Output::Unpin() {
  constexpr size_t kPinnedFactor = 4;
  size_t pinned = 0;
  const Block* before = nullptr;
  for (size_t i = first_; i < pieces_.size(); ++i) {
    Block* block = pieces_[i].block;
    if (block != nullptr && block != before) pinned += block->capacity;
    before = block;
  }
  if (pinned < kPinnedFactor * bytes_) return;
  for (size_t i = first_; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    if (piece.block == nullptr || piece.block->capacity < kPinnedFactor * piece.size) continue;
    Block* own = buffers_.NewBlock(static_cast<uint32_t>(piece.size));
    std::memcpy(own->data(), piece.data, piece.size);
    buffers_.Release(piece.block);
    piece.block = own;
    piece.data = own->data();
  }
}

Output::Written Output::WritePlain(int fd) {
  CloseCopied();
  while (bytes_ > 0) {
    std::array<iovec, kPiecesMax> gather;
    size_t count = 0;
    size_t wanted = 0;
    for (size_t i = first_; i < pieces_.size() && count < kPiecesMax; ++i, ++count) {
      const Piece& piece = pieces_[i];
      gather[count] = {const_cast<uint8_t*>(BytesOf(piece)), piece.size};
      wanted += piece.size;
    }
    msghdr message{};
    message.msg_iov = gather.data();
    message.msg_iovlen = count;
    const ssize_t written = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno != EAGAIN) return Written::kFailed;
    if (written > 0) Remove(static_cast<size_t>(written));
    if (written < 0 || static_cast<size_t>(written) < wanted) {
      Unpin();
      CountHeld(copied_.size());
      return Written::kSome;
    }
  }
  Clear();
  return Written::kAll;
}

// As many records as the transport holds, then one write of them all.
Output::Written Output::WriteSealed(int fd, TlsSession& tls) {
  CloseCopied();
  do {
    while (bytes_ > 0 && tls.has_room()) {
      if (!SealRecord(tls)) return Written::kFailed;
    }
    const TlsSession::Sent sent = tls.Send(fd);
    if (sent == TlsSession::Sent::kFailed) return Written::kFailed;
    if (sent == TlsSession::Sent::kSome) return Written::kSome;
  } while (bytes_ > 0);
  Clear();
  return Written::kAll;
}

// A large piece as it is; small ones together, because a record costs the peer and us more than
// copying does.
bool Output::SealRecord(TlsSession& tls) {
  constexpr size_t kMost = TlsSession::kRecordBytesMax;
  const Piece& first = pieces_[first_];
  if (first.size >= kMost || first.size == bytes_) {
    const size_t size = std::min(first.size, kMost);
    if (!tls.Seal(BytesOf(first), size)) return false;
    Remove(size);
    return true;
  }
  Block* const gathered = buffers_.NewReadBlock();
  size_t size = 0;
  for (size_t i = first_; i < pieces_.size() && size < kMost; ++i) {
    const size_t part = std::min(pieces_[i].size, kMost - size);
    std::memcpy(gathered->data() + size, BytesOf(pieces_[i]), part);
    size += part;
  }
  const bool sealed = tls.Seal(gathered->data(), size);
  buffers_.Release(gathered);
  if (sealed) Remove(size);
  return sealed;
}

}  // namespace lanekeeper::http2
