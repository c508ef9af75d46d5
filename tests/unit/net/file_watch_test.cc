#include "proxy/net/file_watch.h"

#include <gmock/gmock.h>

#include <fstream>
#include <optional>
#include <string>

#include "tests/unit/net/loop_testing.h"

namespace lanekeeper {
namespace {

namespace fs = std::filesystem;
using lanekeeper::testing::TestLoop;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::string name = (fs::temp_directory_path() / "file_watch.XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~FileWatchTest() override {
    watch_.reset();
    fs::remove_all(directory_);
  }

  fs::path At(const std::string& name) const { return directory_ / name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(At(name)) << text;
  }
  void Watch(std::vector<fs::path> files,
             std::chrono::milliseconds poll_every = FileWatch::kPollEvery) {
    watch_.emplace(
        loop_, std::move(files), [this] { ++changes_; }, poll_every);
  }
  bool RunToChange(int count = 1) {
    return loop_.RunUntil([this, count] { return changes_ >= count; });
  }

  TestLoop loop_;
  fs::path directory_;
  std::optional<FileWatch> watch_;
  int changes_ = 0;
};

TEST_F(FileWatchTest, AFileThatIsRewrittenIsTold) {
  Write("a", "old");
  Watch({At("a")});
  Write("a", "new and longer");
  EXPECT_TRUE(RunToChange());
}

TEST_F(FileWatchTest, AFileThatAnotherIsRenamedOverIsTold) {
  Write("a", "old");
  Write("b", "new");
  Watch({At("a")});
  fs::rename(At("b"), At("a"));
  ASSERT_TRUE(RunToChange());
  // And the one that is there now, in place of the one that was watched first.
  Write("b", "newer");
  fs::rename(At("b"), At("a"));
  EXPECT_TRUE(RunToChange(2));
}

// As Kubernetes mounts a secret: tls.crt -> ..data/tls.crt, ..data -> a directory of that version.
TEST_F(FileWatchTest, ALinkInThePathThatIsSwappedIsToldEachTime) {
  const auto add_version = [this](const std::string& name) {
    fs::create_directory(At(name));
    Write(name + "/tls.crt", name);
    fs::create_directory_symlink(name, At("..data_tmp"));
    fs::rename(At("..data_tmp"), At("..data"));
  };
  add_version("..1");
  fs::create_symlink("..data/tls.crt", At("tls.crt"));
  Watch({At("tls.crt")});
  add_version("..2");
  fs::remove_all(At("..1"));
  ASSERT_TRUE(RunToChange());
  add_version("..3");
  fs::remove_all(At("..2"));
  EXPECT_TRUE(RunToChange(2));
}

TEST_F(FileWatchTest, AFileBehindALinkToAnotherDirectoryIsTold) {
  fs::create_directory(At("archive"));
  fs::create_directory(At("live"));
  Write("archive/cert1.pem", "old");
  fs::create_symlink("../archive/cert1.pem", At("live/cert.pem"));
  Watch({At("live/cert.pem")});
  Write("archive/cert1.pem", "new and longer");
  EXPECT_TRUE(RunToChange());
}

TEST_F(FileWatchTest, AFileThatAppearsLaterOrGoesIsTold) {
  Watch({At("a")});
  Write("a", "here");
  ASSERT_TRUE(RunToChange());
  fs::remove(At("a"));
  EXPECT_TRUE(RunToChange(2));
}

TEST_F(FileWatchTest, AModeThatChangesIsTold) {
  Write("a", "secret");
  Watch({At("a")});
  fs::permissions(At("a"), fs::perms::owner_read);
  EXPECT_TRUE(RunToChange());
}

TEST_F(FileWatchTest, FilesThatChangeTogetherAreToldOnce) {
  Write("a", "old");
  Write("b", "old");
  Watch({At("a"), At("b")});
  Write("a", "a new");
  Write("b", "b new");
  ASSERT_TRUE(RunToChange());
  EXPECT_EQ(changes_, 1);
}

TEST_F(FileWatchTest, ANeighbourThatChangesIsNotTold) {
  Write("a", "old");
  Watch({At("a")});
  Write("neighbour", "new");
  loop_.RunWhatIsThere();
  // What is asked for later is looked at later: the neighbour's turn has passed by then.
  int looked = 0;
  FileWatch later(loop_, {At("neighbour")}, [&looked] { ++looked; });
  Write("neighbour", "new and longer");
  ASSERT_TRUE(loop_.RunUntil([&looked] { return looked > 0; }));
  EXPECT_EQ(changes_, 0);
}

TEST_F(FileWatchTest, WhatNoNoticeTellsIsSeenByLooking) {
  // No directory, so nothing to watch when the watch begins.
  Watch({At("later/a")}, std::chrono::milliseconds(5));
  fs::create_directory(At("later"));
  Write("later/a", "here");
  EXPECT_TRUE(RunToChange());
}

TEST_F(FileWatchTest, WhoIsToldMayEndTheWatch) {
  Write("a", "old");
  std::optional<FileWatch> watch;
  watch.emplace(loop_, std::vector<fs::path>{At("a")}, [&] {
    watch.reset();
    ++changes_;
  });
  Write("a", "new and longer");
  ASSERT_TRUE(RunToChange());
  Write("a", "old");
  EXPECT_TRUE(loop_.RunWhatIsThere());
  EXPECT_EQ(changes_, 1);
}

}  // namespace
}  // namespace lanekeeper
