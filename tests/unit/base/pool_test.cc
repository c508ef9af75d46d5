#include "proxy/base/pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

namespace lanekeeper {
namespace {

TEST(PoolTest, WhatWasFreedServesTheNextOfItsSize) {
  Pool pool;
  void* first = pool.Allocate(100);
  pool.Deallocate(first, 100);
  EXPECT_GE(pool.kept_bytes(), 100u);
  void* second = pool.Allocate(100);
  EXPECT_EQ(second, first);
  EXPECT_EQ(pool.kept_bytes(), 0u);
  pool.Deallocate(second, 100);
}

TEST(PoolTest, NearlyTheSameSizeIsServedToo) {
  Pool pool;
  void* first = pool.Allocate(97);
  pool.Deallocate(first, 97);
  void* second = pool.Allocate(104);
  EXPECT_EQ(second, first);
  std::memset(second, 'x', 104);  // a sanitizer sees that all of it is there
  pool.Deallocate(second, 104);
}

TEST(PoolTest, AnotherSizeIsNotServed) {
  Pool pool;
  void* first = pool.Allocate(72);
  pool.Deallocate(first, 72);
  void* second = pool.Allocate(73);
  EXPECT_GT(pool.kept_bytes(), 0u) << "the first is still there";
  std::memset(second, 'x', 73);
  pool.Deallocate(second, 73);
}

TEST(PoolTest, EverySizeIsThereInFullAndAligned) {
  Pool pool;
  for (int round = 0; round < 2; ++round) {
    for (size_t bytes = 0; bytes <= Pool::kPooledBytesMax + 100; ++bytes) {
      void* block = pool.Allocate(bytes);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % alignof(std::max_align_t), 0u);
      std::memset(block, 'x', bytes);
      pool.Deallocate(block, bytes);
    }
  }
}

TEST(PoolTest, NothingIsGivenTwice) {
  Pool pool;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(pool.Allocate(40));
  for (void* block : blocks) pool.Deallocate(block, 40);
  std::set<void*> again;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(again.insert(pool.Allocate(40)).second);
  for (void* block : again) pool.Deallocate(block, 40);
}

TEST(PoolTest, WhatIsLargeIsNotKept) {
  Pool pool;
  pool.Deallocate(pool.Allocate(Pool::kPooledBytesMax + 1), Pool::kPooledBytesMax + 1);
  EXPECT_EQ(pool.kept_bytes(), 0u);
}

TEST(PoolTest, ItKeepsNoMoreThanItsBound) {
  Pool pool;
  constexpr size_t kBytes = Pool::kPooledBytesMax;
  std::vector<void*> blocks;
  for (size_t i = 0; i < Pool::kKeptBytesMax / kBytes + 100; ++i) {
    blocks.push_back(pool.Allocate(kBytes));
  }
  for (void* block : blocks) pool.Deallocate(block, kBytes);
  EXPECT_LE(pool.kept_bytes(), Pool::kKeptBytesMax);
  EXPECT_GT(pool.kept_bytes(), Pool::kKeptBytesMax - 2 * kBytes);
}

#ifdef LANEKEEPER_POISONS
TEST(PoolTest, WhatIsKeptMustNotBeUsed) {
  Pool pool;
  auto* block = static_cast<char*>(pool.Allocate(100));
  pool.Deallocate(block, 100);
  EXPECT_TRUE(__asan_address_is_poisoned(block));
  EXPECT_TRUE(__asan_address_is_poisoned(block + 99));
  ASSERT_EQ(pool.Allocate(97), block);
  EXPECT_EQ(__asan_region_is_poisoned(block, 97), nullptr);
  EXPECT_TRUE(__asan_address_is_poisoned(block + 97)) << "nobody asked for that";
  pool.Deallocate(block, 97);
}
#endif

}  // namespace
}  // namespace lanekeeper
