#include "proxy/rpc/response_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lanekeeper {
namespace {

http2::FieldList Fields(const std::vector<std::pair<std::string, std::string>>& pairs) {
  http2::FieldList fields;
  for (const auto& [name, value] : pairs) fields.Add(name, value);
  return fields;
}

TEST(ResponseFieldsTest, AStatusComesFirstAndOnce) {
  http2::FieldList good = Fields({{":status", "200"}, {"x-a", "1"}});
  EXPECT_FALSE(TranslateResponse(good));
  EXPECT_EQ(good.size(), 2u);
  http2::FieldList twice = Fields({{":status", "200"}, {":status", "200"}});
  EXPECT_EQ(TranslateResponse(twice), ":status");
  http2::FieldList late = Fields({{"x-a", "1"}, {":status", "200"}});
  EXPECT_EQ(TranslateResponse(late), ":status");
}

TEST(ResponseFieldsTest, AStatusIsThreeDigits) {
  for (const std::string status : {"20\n", "2 0", "-20", "2000", ""}) {
    http2::FieldList fields = Fields({{":status", status}});
    EXPECT_EQ(TranslateResponse(fields), ":status") << status;
  }
}

TEST(ResponseFieldsTest, WhatAConnectionFieldNamesStaysBehindInAnyBlock) {
  http2::FieldList fields = Fields({{"connection", "close, X-Hop"}, {"x-hop", "1"}, {"x-a", "2"}});
  EXPECT_FALSE(TranslateResponse(fields));
  EXPECT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields.Find("x-a"), "2");
}

}  // namespace
}  // namespace lanekeeper
