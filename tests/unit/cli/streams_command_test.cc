#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"
#include "tests/unit/cli/sample_streams.h"

namespace lanekeeper {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kNowhere[] = "127.0.0.1:1";

class StreamsCommand : public testing::Test {
 protected:
  StreamsCommand() {
    admin_.streams = {StuckStream(3, 31s), IdleStream(17, 1500ms)};
    admin_.totals = SampleTotals();
  }

  int List(const StreamsOptions& options = {}) {
    AdminClient client(admin_.address());
    return ListStreams(client, options, captured_.output);
  }

  void FillStreams(uint64_t count) {
    admin_.streams.clear();
    for (uint64_t id = 1; id <= count; ++id) admin_.streams.push_back(IdleStream(id, 1s));
  }

  size_t LinesPrinted() {
    const std::string text = captured_.out.text();
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
};

TEST_F(StreamsCommand, PrintsATableAndTheTotals) {
  EXPECT_EQ(List(), 0);
  EXPECT_EQ(captured_.out.text(),
            "ID  METHOD              PEER               AGE  TO_UPSTREAM                        "
            "TO_DOWNSTREAM\n"
            " 3  /shop.Orders/Watch  127.0.0.1:40002  5m12s  half_closed 5m12s     1 msg  120B  "
            "sending: receiver 31s  12 msg  1.2MiB  STUCK slow_receiver to_downstream 31s\n"
            "17  /shop.Orders/Chat   127.0.0.1:40002     3s  receiving: sender 1s  3 msg   96B  "
            "receiving: sender 1s    3 msg     96B\n"
            "2 of 2 shown; 120 streams open, 1 stuck, 10 half-closed, 0 awaiting the upstream; "
            "50 connections -> 1 upstream connection (ready)\n");
  EXPECT_EQ(captured_.err.text(), "");
}

TEST_F(StreamsCommand, PrintsTitlesAndTotalsWhenThereAreNone) {
  admin_.streams.clear();
  EXPECT_EQ(List(), 0);
  EXPECT_THAT(captured_.out.text(), StartsWith("ID  METHOD  PEER  AGE  TO_UPSTREAM"));
  EXPECT_THAT(captured_.out.text(), HasSubstr("\n0 of 0 shown; "));
}

TEST_F(StreamsCommand, PagesThroughAll) {
  FillStreams(20500);
  EXPECT_EQ(List(), 0);
  EXPECT_EQ(LinesPrinted(), 20502);
  const auto requests = admin_.list_requests();
  ASSERT_EQ(requests.size(), 3);
  EXPECT_EQ(requests[0].page_size(), 10000);
  EXPECT_EQ(requests[2].page_token(), "20000");
}

TEST_F(StreamsCommand, StopsAtTheLimit) {
  FillStreams(20500);
  StreamsOptions options;
  options.limit = 10001;
  options.json = true;
  EXPECT_EQ(List(options), 0);
  EXPECT_EQ(LinesPrinted(), 10001);
  EXPECT_EQ(admin_.list_requests().size(), 2);
}

TEST_F(StreamsCommand, JsonLineIsCutWhereItsStreamEnds) {
  admin_.streams[0].set_method(R"(/a"}]{[\"/\)");
  StreamsOptions options;
  options.json = true;
  EXPECT_EQ(List(options), 0);
  EXPECT_EQ(captured_.out.text(), ToJsonLine(admin_.streams[0]) + ToJsonLine(admin_.streams[1]));
}

TEST_F(StreamsCommand, AsksWithTheFilter) {
  StreamsOptions options;
  options.filter.set_method("Orders");
  options.filter.set_stuck(true);
  EXPECT_EQ(List(options), 0);
  ASSERT_EQ(admin_.list_requests().size(), 1);
  EXPECT_EQ(admin_.list_requests()[0].filter().method(), "Orders");
  EXPECT_TRUE(admin_.list_requests()[0].filter().stuck());
}

TEST_F(StreamsCommand, PrintsOneJsonObjectALine) {
  StreamsOptions options;
  options.json = true;
  EXPECT_EQ(List(options), 0);
  std::istringstream lines(captured_.out.text());
  std::vector<nlohmann::json> streams;
  for (std::string line; std::getline(lines, line);) streams.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(streams.size(), 2);
  EXPECT_EQ(streams[0]["id"], "3");
  EXPECT_EQ(streams[0]["to_downstream"]["waiting_for"], "RECEIVER");
  EXPECT_EQ(streams[0]["stall"]["kind"], "SLOW_RECEIVER");
  EXPECT_EQ(streams[1]["downstream_peer"], "ipv4:127.0.0.1:40002");
}

TEST_F(StreamsCommand, EscapesWhatComesFromTheNetwork) {
  admin_.streams[0].set_method("/a\x1b[2J\n");
  admin_.streams[0].set_downstream_peer("\r\x07");
  EXPECT_EQ(List(), 0);
  EXPECT_THAT(captured_.out.text(), HasSubstr(R"(/a\x1b[2J\x0a)"));
  EXPECT_THAT(captured_.out.text(), HasSubstr(R"(\x0d\x07)"));
  EXPECT_EQ(LinesPrinted(), 4);
}

TEST_F(StreamsCommand, ShowsOneStreamInFull) {
  AdminClient client(admin_.address());
  EXPECT_EQ(ShowStream(client, 3, /*json=*/false, captured_.output), 0);
  EXPECT_THAT(captured_.out.text(), StartsWith("id            3\n"));
  EXPECT_THAT(captured_.out.text(), HasSubstr("\nstuck         STUCK slow_receiver"));
}

TEST_F(StreamsCommand, SaysWhichStreamIsNotOpen) {
  AdminClient client(admin_.address());
  EXPECT_EQ(ShowStream(client, 4, /*json=*/false, captured_.output), 1);
  EXPECT_EQ(captured_.out.text(), "");
  EXPECT_EQ(captured_.err.text(), "lanekeeper: no stream 4 is open\n");
}

TEST_F(StreamsCommand, SaysWhereNobodyAnswers) {
  AdminClient client(kNowhere);
  EXPECT_EQ(ListStreams(client, {}, captured_.output), 1);
  EXPECT_EQ(captured_.out.text(), "");
  EXPECT_EQ(captured_.err.text(), "lanekeeper: not reachable at 127.0.0.1:1: Connection refused\n");
}

// Connections to it are made by the kernel, and nobody ever takes them.
class SilentListener {
 public:
  SilentListener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    listen(socket_, 16);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentListener() { close(socket_); }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  const std::string& address() const { return address_; }

 private:
  int socket_;
  std::string address_;
};

TEST_F(StreamsCommand, GivesUpOnADaemonThatHangs) {
  const SilentListener listener;
  AdminClient client(listener.address());
  EXPECT_EQ(ListStreams(client, {}, captured_.output), 1);
  EXPECT_EQ(captured_.err.text(), "lanekeeper: not reachable at " + listener.address() +
                                      ": no connection within 1500 ms\n");
}

TEST_F(StreamsCommand, SaysWhyItIsRefused) {
  admin_.refusal = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "page_token:\nunknown");
  EXPECT_EQ(List(), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: " + admin_.address() + " refused: page_token:\\x0aunknown\n");
}

}  // namespace
}  // namespace lanekeeper
