#include "proxy/http2/output.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "proxy/base/fd.h"

namespace lanekeeper::http2 {
namespace {

class OutputTest : public ::testing::Test {
 protected:
  OutputTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    here_ = Fd(ends[0]);
    there_ = Fd(ends[1]);
  }

  std::string ReadAll() {
    std::string all;
    std::array<char, 4096> bytes;
    for (ssize_t n = 0; (n = read(there_.get(), bytes.data(), bytes.size())) > 0;) {
      all.append(bytes.data(), static_cast<size_t>(n));
    }
    return all;
  }

  Pool pool_;
  Buffers buffers_{pool_};
  Transport here_;
  Fd there_;
};

// Small pieces are copies: no block tells of them.
TEST_F(OutputTest, WhatWaitsForTheSocketIsCountedAsHeld) {
  const std::string piece(512, 'x');
  constexpr size_t kPieces = 4000;  // far beyond the socket's buffer
  Output output(buffers_);
  for (size_t i = 0; i < kPieces; ++i) output.Append(piece.data(), piece.size());
  EXPECT_EQ(buffers_.bytes_held(), 0);
  ASSERT_EQ(output.WriteTo(here_), Output::Written::kSome);
  EXPECT_GE(buffers_.bytes_held(), static_cast<int64_t>(output.bytes()));
  EXPECT_GT(output.bytes(), 0u);
  std::string received;
  Output::Written written = Output::Written::kSome;
  while (written == Output::Written::kSome) {
    received += ReadAll();
    written = output.WriteTo(here_);
  }
  received += ReadAll();
  EXPECT_EQ(written, Output::Written::kAll);
  EXPECT_EQ(received.size(), kPieces * piece.size());
  EXPECT_EQ(buffers_.bytes_held(), 0);
}

TEST_F(OutputTest, WhatIsDroppedIsHeldNoMore) {
  {
    Output output(buffers_);
    const std::string much(4 << 20, 'x');
    output.Append(much.data(), much.size());
    ASSERT_EQ(output.WriteTo(here_), Output::Written::kSome);
    EXPECT_GT(buffers_.bytes_held(), 0);
  }
  EXPECT_EQ(buffers_.bytes_held(), 0);
}

}  // namespace
}  // namespace lanekeeper::http2
