// What waits for a socket that takes nothing more.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "proxy/base/fd.h"
#include "proxy/http2/output.h"

namespace lanekeeper::http2 {
namespace {

class OutputBlocksTest : public ::testing::Test {
 protected:
  OutputBlocksTest() : output_(buffers_) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = Fd(ends[0]);
    theirs_ = Fd(ends[1]);
  }
  ~OutputBlocksTest() override {
    output_.Clear();
    EXPECT_EQ(buffers_.bytes_held(), 0);
  }

  void FillSocket() {
    const std::string page(4096, '.');
    while (send(ours_.fd(), page.data(), page.size(), MSG_NOSIGNAL) > 0) {
    }
  }
  // A slice from a read block of its own.
  void AppendSlice(size_t size, char fill) {
    Block* block = buffers_.NewReadBlock();
    std::fill_n(block->data(), size, static_cast<uint8_t>(fill));
    output_.Append(block, block->data(), static_cast<uint32_t>(size));
    buffers_.Release(block);
  }
  std::string ReadAll() {
    std::string all;
    std::array<char, 4096> part;
    for (ssize_t n; (n = recv(theirs_.get(), part.data(), part.size(), 0)) > 0;) {
      all.append(part.data(), static_cast<size_t>(n));
    }
    return all;
  }

  Pool pool_;
  Buffers buffers_{pool_};
  Output output_;
  Transport ours_;
  Fd theirs_;
};

TEST_F(OutputBlocksTest, PiecesThatCannotLeaveDoNotKeepTheBlocksTheyCameIn) {
  FillSocket();
  std::string sent;
  constexpr size_t kPiece = 2000;
  for (int i = 0; i < 100; ++i) {
    AppendSlice(kPiece, static_cast<char>('a' + i % 26));
    sent.append(kPiece, static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(output_.WriteTo(ours_), Output::Written::kSome);
  EXPECT_LE(buffers_.bytes_held(), static_cast<int64_t>(4 * sent.size()));
  std::string received = ReadAll();
  received.erase(0, received.find_first_not_of('.'));
  while (output_.WriteTo(ours_) == Output::Written::kSome) received += ReadAll();
  received += ReadAll();
  received.erase(0, received.find_first_not_of('.'));
  EXPECT_TRUE(received == sent) << received.size() << " of " << sent.size();
}

TEST_F(OutputBlocksTest, PiecesThatMakeUpTheirBlockStayInIt) {
  FillSocket();
  Block* block = buffers_.NewReadBlock();
  for (uint32_t at = 0; at + 10'000 < block->capacity; at += 10'000) {
    output_.Append(block, block->data() + at, 10'000);
  }
  buffers_.Release(block);
  EXPECT_EQ(output_.WriteTo(ours_), Output::Written::kSome);
  EXPECT_EQ(buffers_.bytes_held(), Buffers::kReadBytes);
}

}  // namespace
}  // namespace lanekeeper::http2
