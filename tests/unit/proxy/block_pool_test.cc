#include "proxy/threads/block_pool.h"

#include <grpc/support/alloc.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/unit/proxy/lame_calls.h"

namespace lanekeeper {
namespace {

constexpr bool kKeeps = BlockPool::kKeeps;

class BlockPoolTest : public ::testing::Test {
 protected:
  BlockPoolTest() { pool_.Open(); }

  BlockPool pool_;
};

TEST_F(BlockPoolTest, BlocksAreAlignedAndAsLargeAsAskedFor) {
  for (const size_t bytes : {1, 255, 256, 257, 1904, 10'000, 32'768, 32'769, 1'000'000}) {
    for (int twice = 0; twice < 2; ++twice) {
      void* const block = BlockPool::Allocate(bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % BlockPool::kAlignment, 0u);
      std::memset(block, 1, bytes);
      BlockPool::Free(block);
    }
  }
}

TEST_F(BlockPoolTest, TheLastThatWasFreedIsTakenFirst) {
  if (!kKeeps) GTEST_SKIP() << "a sanitizer sees each block come and go";
  void* const first = BlockPool::Allocate(10'000);
  void* const second = BlockPool::Allocate(10'000);
  BlockPool::Free(second);
  BlockPool::Free(first);
  EXPECT_EQ(BlockPool::Allocate(10'000), first);
  EXPECT_EQ(BlockPool::Allocate(10'000), second);
  BlockPool::Free(first);
  BlockPool::Free(second);
}

TEST_F(BlockPoolTest, ABlockOfAnotherSizeIsNotTaken) {
  void* const small = BlockPool::Allocate(2'000);
  void* const other = BlockPool::Allocate(10'000);
  BlockPool::Free(small);
  void* const large = BlockPool::Allocate(3'000);
  std::memset(large, 1, 3'000);
  EXPECT_NE(large, small);
  BlockPool::Free(large);
  BlockPool::Free(other);
}

TEST_F(BlockPoolTest, SizesThatAreNoLongerAskedForMakeRoom) {
  if (!kKeeps) GTEST_SKIP() << "a sanitizer sees each block come and go";
  std::vector<void*> old;
  for (size_t bytes = 0; bytes < BlockPool::kKeptBytesMax; bytes += 10'000) {
    old.push_back(BlockPool::Allocate(10'000));
  }
  for (void* block : old) BlockPool::Free(block);
  void* const now = BlockPool::Allocate(12'000);
  BlockPool::Free(now);
  EXPECT_EQ(BlockPool::Allocate(12'000), now);
  BlockPool::Free(now);
}

TEST_F(BlockPoolTest, OtherAlignmentsAreServed) {
  constexpr size_t kBytes = 4'992;
  for (const size_t alignment : {1, 8, 16, 64, 256}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 20; ++i) {
      void* const block = blocks.emplace_back(gpr_malloc_aligned(kBytes + 64, alignment));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
      std::memset(block, 1, kBytes);
    }
    for (void* block : blocks) gpr_free_aligned(block);
    // None of them is taken for what it is not.
    for (size_t bytes = kBytes - 128; bytes <= kBytes + 64; bytes += 64) {
      for (void*& block : blocks) {
        block = BlockPool::Allocate(bytes);
        ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % BlockPool::kAlignment, 0u);
        std::memset(block, 1, bytes);
      }
      for (void* block : blocks) BlockPool::Free(block);
    }
  }
}

TEST_F(BlockPoolTest, EachBlockComesBackWithItsSize) {
  if (!kKeeps) GTEST_SKIP() << "a sanitizer sees each block come and go";
  for (size_t bytes = 1024; bytes <= 32'768; bytes += 64) {
    BlockPool pool;
    pool.Open();
    BlockPool::Free(BlockPool::Allocate(bytes));
    EXPECT_EQ(pool.kept_bytes(), bytes);
  }
}

TEST_F(BlockPoolTest, ABlockMayBeFreedByAThreadWithoutAPool) {
  void* const block = BlockPool::Allocate(10'000);
  std::thread([block] { BlockPool::Free(block); }).join();
  EXPECT_EQ(pool_.kept_bytes(), 0u);
}

TEST_F(BlockPoolTest, ABlockOfAThreadWithoutAPoolIsKept) {
  void* block = nullptr;
  std::thread([&] { block = BlockPool::Allocate(10'000); }).join();
  BlockPool::Free(block);
  EXPECT_EQ(pool_.kept_bytes(), kKeeps ? 10'048u : 0u);
}

TEST_F(BlockPoolTest, WhatNoPoolIsOpenForGoesToMalloc) {
  pool_.Close();
  void* const block = BlockPool::Allocate(10'000);
  BlockPool::Free(block);
  EXPECT_EQ(pool_.kept_bytes(), 0u);
}

// With a gRPC that has its arenas from elsewhere this fails, and each RPC beside thousands of idle
// streams costs a fifth more.
TEST_F(BlockPoolTest, CoresCallsComeFromThePool) {
  if (!kKeeps) GTEST_SKIP() << "a sanitizer sees each block come and go";
  ASSERT_EQ(pool_.kept_bytes(), 0u);
  {
    LameCalls calls;
    Counted one;
    calls.StartHere(one);
    EXPECT_EQ(calls.Next().tag, one.tag());
  }
  EXPECT_GT(pool_.kept_bytes(), 1'000u);
}

}  // namespace
}  // namespace lanekeeper
