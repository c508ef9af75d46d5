#include "proxy/http2/fields.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lanekeeper::http2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> All(const FieldList& fields) {
  std::vector<std::string> all;
  for (const Field field : fields) {
    all.push_back(std::string(field.name) + "=" + std::string(field.value) +
                  (field.never_index ? "!" : ""));
  }
  return all;
}

TEST(FieldListTest, KeepsOrderAndDuplicatesAndMarks) {
  FieldList fields;
  fields.Add("b", "1");
  fields.Add("a", "", true);
  fields.Add("b", "2");
  EXPECT_THAT(All(fields), ElementsAre("b=1", "a=!", "b=2"));
  EXPECT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields.bytes(), 5u);
  EXPECT_EQ(fields.list_bytes(), 5u + 3 * 32);
}

TEST(FieldListTest, FindsTheFirstAndTellsAnEmptyValueFromNone) {
  FieldList fields;
  EXPECT_EQ(fields.Find("a").data(), nullptr);
  fields.Add("a", "");
  fields.Add("a", "2");
  EXPECT_NE(fields.Find("a").data(), nullptr);
  EXPECT_EQ(fields.Find("a"), "");
  EXPECT_FALSE(fields.Has("b"));
}

TEST(FieldListTest, CopiesAreApartAndWhatWasMovedFromIsEmpty) {
  FieldList first;
  first.Add("a", "1");
  FieldList copy = first;
  copy.Add("b", "2");
  EXPECT_THAT(All(first), ElementsAre("a=1"));
  EXPECT_THAT(All(copy), ElementsAre("a=1", "b=2"));
  const FieldList moved = std::move(copy);
  EXPECT_THAT(All(moved), ElementsAre("a=1", "b=2"));
  copy = first;
  EXPECT_THAT(All(copy), ElementsAre("a=1"));
  copy = FieldList();
  EXPECT_THAT(All(copy), IsEmpty());
}

TEST(FieldListTest, ServesAgainAfterBlocksOfAnySize) {
  FieldList fields;
  for (const size_t size : {10u, 100000u, 10u, 0u, 5000u}) {
    fields.Clear();
    EXPECT_TRUE(fields.empty());
    fields.Add("name", std::string(size, 'v'));
    fields.Add("last", "x");
    EXPECT_EQ(fields.Find("name").size(), size);
    EXPECT_EQ(fields.Find("last"), "x");
  }
}

TEST(FieldListTest, WhatCameFromAPoolGoesBackThere) {
  Pool pool;
  {
    FieldList first;
    first.Reserve(1, 2, &pool);
    first.Add("a", "1");
    first.Add("b", std::string(500, 'v'));  // more than it has room for
    FieldList second;
    second.Assign(first, &pool);
    EXPECT_EQ(second.Find("b").size(), 500u);
    const FieldList apart = second;
    const FieldList moved = std::move(second);
    EXPECT_THAT(All(moved), SizeIs(2));
    EXPECT_EQ(All(apart), All(moved));
  }
  const size_t kept = pool.kept_bytes();
  EXPECT_GT(kept, 1000u);  // of the first and the second, not of the third
  EXPECT_LT(kept, 1500u);
  FieldList again;
  again.Reserve(2, 500, &pool);
  EXPECT_LT(pool.kept_bytes(), kept);
}

}  // namespace
}  // namespace lanekeeper::http2
