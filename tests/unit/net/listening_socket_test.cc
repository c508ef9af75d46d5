#include "proxy/net/listening_socket.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace lanekeeper {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string WhyNot(const ListenAddress& address) {
  try {
    ListeningSocket::Open(address);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(ListeningSocketTest, PortZeroPicksOneAndNamesIt) {
  const auto sockets = ListeningSocket::Open({"127.0.0.1", 0, ""});
  ASSERT_EQ(sockets.size(), 1u);
  EXPECT_GT(sockets[0].port(), 0);
  EXPECT_EQ(sockets[0].name(), "127.0.0.1:" + std::to_string(sockets[0].port()));
}

TEST(ListeningSocketTest, APortInUseIsRefusedWithItsName) {
  const auto first = ListeningSocket::Open({"127.0.0.1", 0, ""});
  const auto port = static_cast<uint16_t>(first[0].port());
  EXPECT_EQ(WhyNot({"127.0.0.1", port, ""}),
            "cannot listen on " + first[0].name() + ": Address already in use");
}

TEST(ListeningSocketTest, AnUnknownHostIsRefused) {
  EXPECT_THAT(WhyNot({"no-such-host.invalid", 1, ""}), StartsWith("cannot listen on no-such-host"));
}

class UnixListeningSocketTest : public ::testing::Test {
 protected:
  UnixListeningSocketTest() {
    std::string name = (fs::temp_directory_path() / "listening_socket.XXXXXX").string();
    directory_ = mkdtemp(name.data());
    path_ = directory_ / "proxy.sock";
  }
  ~UnixListeningSocketTest() override { fs::remove_all(directory_); }

  fs::path directory_;
  fs::path path_;
};

TEST_F(UnixListeningSocketTest, ThePathLivesAsLongAsTheSocket) {
  {
    const auto sockets = ListeningSocket::Open({"", 0, path_});
    EXPECT_TRUE(fs::is_socket(path_));
    EXPECT_EQ(sockets[0].name(), "unix://" + path_.string());
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(UnixListeningSocketTest, ALiveSocketIsRefusedAndLeftAlone) {
  const auto first = ListeningSocket::Open({"", 0, path_});
  EXPECT_THAT(WhyNot({"", 0, path_}), HasSubstr("Address already in use"));
  EXPECT_TRUE(fs::is_socket(path_));
}

TEST_F(UnixListeningSocketTest, AFileThatIsNoSocketIsRefusedAndLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(WhyNot({"", 0, path_}), HasSubstr("is not a socket"));
  EXPECT_TRUE(fs::is_regular_file(path_));
}

}  // namespace
}  // namespace lanekeeper
