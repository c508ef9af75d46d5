#include "proxy/net/buffer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace lanekeeper {
namespace {

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

class BufferTest : public ::testing::Test {
 protected:
  // Whatever the test did, nothing is left.
  ~BufferTest() override { EXPECT_EQ(buffers_.bytes_held(), 0); }

  SliceQueue Copies(std::initializer_list<std::string_view> pieces) {
    SliceQueue queue(buffers_);
    for (std::string_view piece : pieces) queue.AppendCopy(Bytes(piece), piece.size());
    return queue;
  }
  static std::string Text(const SliceQueue& queue) {
    std::string text;
    for (auto* node = queue.first(); node != nullptr; node = node->next) {
      text.append(reinterpret_cast<const char*>(node->data), node->size);
    }
    return text;
  }
  static std::string Take(SliceQueue& queue, size_t bytes) {
    std::string text;
    queue.Consume(bytes, [&](Block*, const uint8_t* data, uint32_t size) {
      text.append(reinterpret_cast<const char*>(data), size).append("|");
    });
    return text;
  }

  Pool pool_;
  Buffers buffers_{pool_};
};

TEST_F(BufferTest, BytesLeaveInTheOrderInWhichTheyCame) {
  SliceQueue queue = Copies({"abc", "def", "ghi"});
  EXPECT_EQ(queue.bytes(), 9u);
  EXPECT_EQ(Take(queue, 4), "abc|d|");
  EXPECT_EQ(queue.bytes(), 5u);
  EXPECT_EQ(Take(queue, 2), "ef|");
  EXPECT_EQ(Take(queue, 3), "ghi|");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST_F(BufferTest, AnEmptyPieceIsNone) { EXPECT_TRUE(Copies({""}).empty()); }

TEST_F(BufferTest, ManySmallCopiesShareAFewBlocks) {
  SliceQueue queue(buffers_);
  std::string sent;
  for (int i = 0; i < 10'000; ++i) {
    const auto byte = static_cast<char>('a' + i % 26);
    queue.AppendCopy(Bytes(std::string_view(&byte, 1)), 1);
    sent += byte;
  }
  size_t nodes = 0;
  for (auto* node = queue.first(); node != nullptr; node = node->next) ++nodes;
  EXPECT_LE(nodes, 30u);
  EXPECT_LE(buffers_.bytes_held(), 2 * 10'000);
  EXPECT_EQ(queue.bytes(), sent.size());
  EXPECT_EQ(Text(queue), sent);
}

TEST_F(BufferTest, ASingleCopyTakesNoMoreThanItsBytes) {
  SliceQueue queue = Copies({"abc"});
  EXPECT_EQ(buffers_.bytes_held(), 3);
}

// Who refers to a block must not see it change.
TEST_F(BufferTest, ABlockThatAnotherRefersToIsNotWrittenBehind) {
  SliceQueue queue = Copies({"abcd", "efg"});  // with room behind g
  SliceQueue copy(buffers_);
  copy.Share(queue);
  queue.AppendCopy(Bytes("h"), 1);
  copy.AppendCopy(Bytes("i"), 1);
  EXPECT_EQ(Text(queue), "abcdefgh");
  EXPECT_EQ(Text(copy), "abcdefgi");
}

TEST_F(BufferTest, AQueueThatHasBeenEmptyGoesOn) {
  SliceQueue queue = Copies({"abc"});
  Take(queue, 3);
  queue.AppendCopy(Bytes("def"), 3);
  EXPECT_EQ(Text(queue), "def");
}

TEST_F(BufferTest, ABlockLivesAsLongAsItsLastSlice) {
  Block* block = buffers_.NewReadBlock();
  SliceQueue first(buffers_);
  SliceQueue second(buffers_);
  first.Append(block, block->data(), 10);
  second.Append(block, block->data() + 10, 10);
  buffers_.Release(block);
  EXPECT_EQ(buffers_.bytes_held(), Buffers::kReadBytes);
  first.Clear();
  EXPECT_EQ(buffers_.bytes_held(), Buffers::kReadBytes);
  second.Clear();
  EXPECT_EQ(buffers_.bytes_held(), 0);
}

// The address sanitizer would tell: blocks that are kept are out of bounds for it.
TEST_F(BufferTest, PagesThatAreGivenBackMayBeAnybodys) {
  for (int i = 0; i < 10; ++i) {
    Pool pool;
    Buffers buffers(pool);
    Block* block = buffers.NewReadBlock();
    std::memset(block->data(), 'x', Buffers::kReadBytes);
    buffers.Release(block);
  }
}

TEST_F(BufferTest, WhoTakesABlockKeepsItWithAReferenceOfItsOwn) {
  SliceQueue queue = Copies({"abc"});
  Block* kept = nullptr;
  queue.Consume(3, [&](Block* block, const uint8_t*, uint32_t) {
    ++block->references;
    kept = block;
  });
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(kept->data()), 3), "abc");
  buffers_.Release(kept);
}

TEST_F(BufferTest, ASpliceMovesAll) {
  SliceQueue to = Copies({"abc"});
  SliceQueue from = Copies({"def", "g"});
  to.Splice(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(from.bytes(), 0u);
  EXPECT_EQ(Text(to), "abcdefg");
  EXPECT_EQ(to.bytes(), 7u);
  to.Splice(from);
  from.AppendCopy(Bytes("x"), 1);
  EXPECT_EQ(Text(to), "abcdefg");
  EXPECT_EQ(Text(from), "x");
}

TEST_F(BufferTest, ASpliceIntoAnEmptyQueueMovesAll) {
  SliceQueue to(buffers_);
  SliceQueue from = Copies({"abc"});
  to.Splice(from);
  to.AppendCopy(Bytes("d"), 1);
  EXPECT_EQ(Text(to), "abcd");
}

TEST_F(BufferTest, SharedBytesStayWhenTheOriginalIsGone) {
  SliceQueue copy(buffers_);
  {
    SliceQueue original = Copies({"abc", "def"});
    copy.Share(original);
    EXPECT_EQ(Text(original), "abcdef");
  }
  EXPECT_EQ(Text(copy), "abcdef");
}

TEST_F(BufferTest, SharingALargeSliceCopiesNothing) {
  const std::string large(100'000, 'x');
  SliceQueue original = Copies({large});
  const int64_t held = buffers_.bytes_held();
  SliceQueue copy(buffers_);
  copy.Share(original);
  EXPECT_EQ(buffers_.bytes_held(), held);
  EXPECT_EQ(copy.first()->data, original.first()->data);
}

TEST_F(BufferTest, SharingASmallSlicePinsNoLargeBlock) {
  Block* block = buffers_.NewReadBlock();
  SliceQueue copy(buffers_);
  {
    SliceQueue original(buffers_);
    original.Append(block, block->data(), 10);
    buffers_.Release(block);
    copy.Share(original);
  }
  EXPECT_EQ(buffers_.bytes_held(), 10);
}

TEST_F(BufferTest, CompactingLetsGoOfLargeBlocksAndKeepsTheBytes) {
  Block* block = buffers_.NewReadBlock();
  for (uint8_t i = 0; i < 10; ++i) block->data()[i] = static_cast<uint8_t>('a' + i);
  SliceQueue queue(buffers_);
  queue.Append(block, block->data() + 2, 5);
  buffers_.Release(block);
  queue.Compact();
  EXPECT_EQ(buffers_.bytes_held(), 5);
  EXPECT_EQ(Text(queue), "cdefg");
}

TEST_F(BufferTest, CompactingLeavesABlockThatIsWellUsed) {
  Block* block = buffers_.NewReadBlock();
  SliceQueue queue(buffers_);
  queue.Append(block, block->data(), Buffers::kReadBytes / 2);
  buffers_.Release(block);
  const uint8_t* before = queue.first()->data;
  queue.Compact();
  EXPECT_EQ(queue.first()->data, before);
}

TEST_F(BufferTest, AMovedQueueLeavesNothingBehind) {
  SliceQueue from = Copies({"abc"});
  const SliceQueue to = std::move(from);
  EXPECT_EQ(Text(to), "abc");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_EQ(from.bytes(), 0u);
}

TEST_F(BufferTest, AReadBlockIsUsedAgain) {
  Block* first = buffers_.NewReadBlock();
  buffers_.Release(first);
  Block* second = buffers_.NewReadBlock();
  EXPECT_EQ(second, first);
  EXPECT_EQ(second->references, 1u);
  EXPECT_EQ(second->capacity, Buffers::kReadBytes);
  buffers_.Release(second);
}

// As many as are kept for later, and no more.
TEST_F(BufferTest, WhatABurstTookGoesBackToTheSystem) {
  constexpr size_t kBurst = 4 * Buffers::kKeptBlocks;
  std::vector<Block*> blocks;
  for (size_t i = 0; i < kBurst; ++i) {
    blocks.push_back(buffers_.NewReadBlock());
    std::memset(blocks.back()->data(), 1, Buffers::kReadBytes);
  }
  const auto resident = [&](Block* block) {
    unsigned char page = 0;
    const auto address = reinterpret_cast<uintptr_t>(block) & ~uintptr_t{4095};
    return mincore(reinterpret_cast<void*>(address), 1, &page) == 0;  // fails where nothing is
  };
  for (Block* block : blocks) EXPECT_TRUE(resident(block));
  for (Block* block : blocks) buffers_.Release(block);
  EXPECT_EQ(std::count_if(blocks.begin(), blocks.end(), resident), Buffers::kKeptBlocks);
}

TEST_F(BufferTest, SmallBlocksGoBackToThePool) {
  Copies({"abc"}).Clear();
  const size_t kept = pool_.kept_bytes();
  EXPECT_GT(kept, 0u);
  Copies({"def"}).Clear();
  EXPECT_EQ(pool_.kept_bytes(), kept);
}

}  // namespace
}  // namespace lanekeeper
