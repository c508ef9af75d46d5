// All share one upstream connection: those that stop reading stop only themselves. What counts is
// that the others get all of their bytes, not how fast.
#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <future>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"

namespace lanekeeper::testing {
namespace {

constexpr int kStreams = 64;
constexpr int kMessages = 64;  // beyond every window on the way
const std::string kMessage(64 * 1024, 'x');
// The grpc library of a test takes some of them for itself.
constexpr int kSlowMessages = 512;

class OneSlowReaderTest : public BothKinds {
 protected:
  // Waits until so many streams have a message that their receiver does not take.
  static void AwaitStopped(const ProxyHarness& proxy, const char* direction, int streams) {
    ASSERT_TRUE(proxy.AwaitMetric("lanekeeper_stream_ops_in_flight",
                                  {{"direction", direction}, {"op", "send"}}, streams));
  }
};
LANEKEEPER_BOTH_KINDS(OneSlowReaderTest);

// As many messages as the request says.
void SendAsMany(UpstreamCall& call) {
  const int messages = std::stoi(call.Read().value_or("0"));
  for (int i = 0; i < messages && call.Write(kMessage); ++i) {
  }
  call.Finish();
}

std::unique_ptr<DownstreamCall> Ask(const ProxyHarness& proxy, int messages) {
  auto call = std::make_unique<DownstreamCall>(proxy.NewChannel());
  call->Start();
  EXPECT_TRUE(call->Write(std::to_string(messages)));
  return call;
}

void ExpectAll(DownstreamCall& call, int messages) {
  for (int i = 0; i < messages; ++i) ASSERT_TRUE(call.Read() == kMessage) << i;
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.End().ok());
}

TEST_P(OneSlowReaderTest, TheOthersGetAllOfTheirBytes) {
  FakeUpstream upstream(SendAsMany);
  ProxyHarness proxy(GetParam(), upstream.address());
  auto slow = Ask(proxy, kSlowMessages);
  ASSERT_NO_FATAL_FAILURE(AwaitStopped(proxy, "to_downstream", 1));
  std::list<std::unique_ptr<DownstreamCall>> others;
  for (int i = 1; i < kStreams; ++i) others.push_back(Ask(proxy, kMessages));
  for (const auto& other : others) ExpectAll(*other, kMessages);
  EXPECT_EQ(upstream.connections(), 1u);
  ExpectAll(*slow, kSlowMessages);
}

// Many windows together must not make up the connection's.
TEST_P(OneSlowReaderTest, ManyThatStopLeaveTheOthersTheirBytes) {
  constexpr int kStopped = 40;
  FakeUpstream upstream(SendAsMany);
  ProxyHarness proxy(GetParam(), upstream.address());
  std::list<std::unique_ptr<DownstreamCall>> slow;
  for (int i = 0; i < kStopped; ++i) slow.push_back(Ask(proxy, kSlowMessages));
  ASSERT_NO_FATAL_FAILURE(AwaitStopped(proxy, "to_downstream", kStopped));
  for (int i = 0; i < 4; ++i) ExpectAll(*Ask(proxy, kMessages), kMessages);
  EXPECT_EQ(upstream.connections(), 1u);
  for (const auto& call : slow) call->Cancel();
}

TEST_P(OneSlowReaderTest, TheOthersUploadAllOfTheirBytes) {
  std::promise<void> read_slow;
  const std::shared_future<void> may_read = read_slow.get_future();
  FakeUpstream upstream([&](UpstreamCall& call) {
    if (call.method() == "/s/Slow") may_read.wait();
    int messages = 0;
    while (const auto request = call.Read()) messages += *request == kMessage ? 1 : 0;
    call.Write(std::to_string(messages));
    call.Finish();
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  DownstreamCall slow(proxy.NewChannel(), "/s/Slow");
  slow.Start();
  int written = 0;
  while (written < kSlowMessages && slow.WriteWithin(kMessage, std::chrono::milliseconds(500))) {
    ++written;
  }
  ASSERT_LT(written, kSlowMessages) << "it is not slow";
  std::list<std::thread> others;
  for (int i = 1; i < kStreams; ++i) {
    others.emplace_back([&] {
      DownstreamCall call(proxy.NewChannel());
      call.Start();
      int sent = 0;
      while (sent < kMessages && call.Write(kMessage)) ++sent;
      ASSERT_EQ(sent, kMessages) << call.Finish().error_message();
      ASSERT_TRUE(call.WritesDone());
      EXPECT_EQ(call.Read(), std::to_string(kMessages));
      EXPECT_TRUE(call.Finish().ok());
    });
  }
  for (std::thread& other : others) other.join();
  EXPECT_EQ(upstream.connections(), 1u);
  read_slow.set_value();
  ASSERT_TRUE(slow.AwaitWrite());
  ASSERT_TRUE(slow.WritesDone());
  EXPECT_EQ(slow.Read(), std::to_string(written + 1));
  EXPECT_TRUE(slow.Finish().ok());
}

// Credit belongs to open streams: those that wait for a slot must not hold it.
TEST_P(OneSlowReaderTest, UploadsThatWaitForASlotLeaveTheOpenOneItsBytes) {
  constexpr int kUploads = 21;
  FakeUpstream upstream(
      [](UpstreamCall& call) {
        int messages = 0;
        while (call.Read()) ++messages;
        call.Write(std::to_string(messages));
        call.Finish();
      },
      0,
      [](grpc::ServerBuilder& builder) {
        builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1);
      });
  ProxyHarness proxy(GetParam(), upstream.address());
  std::list<std::thread> uploads;
  for (int i = 0; i < kUploads; ++i) {
    uploads.emplace_back([&] {
      DownstreamCall call(proxy.channel());
      call.Start();
      for (int sent = 0; sent < 16; ++sent) ASSERT_TRUE(call.Write(kMessage)) << sent;
      ASSERT_TRUE(call.WritesDone());
      EXPECT_EQ(call.Read(), "16");
      EXPECT_TRUE(call.Finish().ok());
    });
  }
  for (std::thread& upload : uploads) upload.join();
}

// Streams that always have data must not be served by age.
TEST_P(OneSlowReaderTest, UnaryCallsGoOnBesideStreamsThatAlwaysHaveData) {
  constexpr int kBulk = 8;
  FakeUpstream upstream([](UpstreamCall& call) {
    if (call.method() != "/s/Bulk") return Echo(call);
    while (const auto request = call.Read()) call.Write(*request);
  });
  ProxyHarness proxy(GetParam(), upstream.address());
  std::atomic<bool> stop{false};
  std::atomic<int> echoed{0};
  std::list<std::thread> bulk;
  for (int i = 0; i < kBulk; ++i) {
    bulk.emplace_back([&] {
      DownstreamCall call(proxy.NewChannel(), "/s/Bulk");
      call.Start();
      while (!stop) {
        ASSERT_TRUE(call.Write(kMessage));
        ASSERT_TRUE(call.Read() == kMessage);
        ++echoed;
      }
      EXPECT_TRUE(call.End().ok());
    });
  }
  EXPECT_TRUE(Eventually([&] { return echoed > kBulk; }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Unary(proxy.channel(), "small").response, "small");
  const int before = echoed;
  EXPECT_TRUE(Eventually([&] { return echoed > before; }));
  stop = true;
  for (std::thread& one : bulk) one.join();
  EXPECT_EQ(upstream.connections(), 1u);
}

// What is held of a stream is what it has sent, and not the block that it was read in.
TEST_P(OneSlowReaderTest, ManyThatStopWithALittleEachHoldLittle) {
  constexpr uint32_t kStopped = 1000;
  const std::string message(100, 'x');
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address());
  RawPeer client = RawPeer::Dial(proxy, Setting(kInitialWindowSize, 0));
  for (uint32_t i = 0; i < kStopped; ++i) client.Ask(2 * i + 1, message);
  ASSERT_TRUE(client.Await([&] { return client.streams().size() == kStopped; }));
  ASSERT_TRUE(Eventually([&] {
    return proxy.Metric("lanekeeper_buffered_bytes") >=
           static_cast<double>(kStopped * message.size());
  }));
  // 10,000 of them hold less than 64 MB.
  EXPECT_LE(proxy.Metric("lanekeeper_buffered_bytes"), kStopped * 6400.0);
  for (uint32_t i = 0; i < kStopped; ++i) client.Update(2 * i + 1, kFirstWindow);
  EXPECT_TRUE(client.Await([&] { return client.over() == kStopped; }));
  EXPECT_EQ(client[1].data, Framed(message));
  EXPECT_TRUE(Eventually([&] { return proxy.Metric("lanekeeper_buffered_bytes") == 0; }));
}

}  // namespace
}  // namespace lanekeeper::testing
