// The files of the live page, embedded in the binary.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "proxy/admin/page_files.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string FileBytes(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

using PageTest = AdminTest;

TEST_F(PageTest, EveryFileOfTheFolderIsServedAsItIs) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(LANEKEEPER_PAGE_DIR)) {
    const std::string name = entry.path().filename().string();
    EXPECT_EQ(Get("/" + name).body, FileBytes(entry.path())) << name;
    ++files;
  }
  EXPECT_GE(files, 1u);
  EXPECT_EQ(PageFiles().size(), files);
}

TEST_F(PageTest, ThePageIsAtTheRoot) {
  const HttpAnswer answer = Get("/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, FileBytes(fs::path(LANEKEEPER_PAGE_DIR) / "index.html"));
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
}

TEST_F(PageTest, EveryAnswerTellsTheBrowserToTrustNothingElse) {
  for (const char* path : {"/", "/streams", "/nothing", "/drain"}) {
    const HttpAnswer answer = Get(path);
    EXPECT_THAT(answer.head,
                HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'; "
                          "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
                          "frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n"))
        << path;
    EXPECT_THAT(answer.head, HasSubstr("X-Content-Type-Options: nosniff\r\n")) << path;
    EXPECT_THAT(answer.head, HasSubstr("Referrer-Policy: no-referrer\r\n")) << path;
    EXPECT_THAT(answer.head, HasSubstr("Cache-Control: no-store\r\n")) << path;
  }
}

}  // namespace
}  // namespace lanekeeper::testing
