#include "proxy/base/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace lanekeeper {
namespace {

std::string WhyNot(const std::string& path) {
  std::string why;
  EXPECT_EQ(ReadFile(path, 8, &why), std::nullopt);
  return why;
}

std::string FileOf(const std::string& name, const std::string& text) {
  const std::string path = std::filesystem::path(testing::TempDir()) / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(ReadFileTest, AFileOfTheLargestSizeIsReadWhole) {
  std::string why;
  EXPECT_EQ(ReadFile(FileOf("eight", std::string("a\0\r\nb\xff\n.", 8)), 8, &why),
            std::string("a\0\r\nb\xff\n.", 8));
  EXPECT_EQ(ReadFile(FileOf("empty", ""), 8, &why), "");
}

TEST(ReadFileTest, WhatCannotBeReadIsToldWithItsReason) {
  EXPECT_EQ(WhyNot("/no/file"), "cannot be read: No such file or directory");
  EXPECT_EQ(WhyNot("/"), "is a directory, expected a file");
  EXPECT_EQ(WhyNot(FileOf("nine", "123456789")), "is larger than 8 bytes");
  EXPECT_EQ(WhyNot("/dev/zero"), "is larger than 8 bytes");
}

}  // namespace
}  // namespace lanekeeper
