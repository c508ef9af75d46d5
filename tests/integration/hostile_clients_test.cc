// A client that attacks loses its own connection and no other: it is counted and told once, the
// neighbour's RPC goes on over the same upstream connection, and memory stays as it was.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "tests/integration/client_attacks.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr uint32_t kFlood = 200'000;

// Echoes the first stream, and leaves all others open: an attack may bring very many.
void EchoFirst(const RawListener& listener) {
  RawPeer peer = RawPeer::Accept(listener);
  if (!peer.AwaitHeaders(1)) return;
  peer.Respond(1);
  size_t echoed = 0;
  peer.Await(
      [&] {
        const std::string rest = peer[1].data.substr(echoed);
        echoed += rest.size();
        if (!rest.empty()) peer.Data(1, rest);
        return peer[1].over();
      },
      std::chrono::seconds(100));
  peer.Finish(1);
  peer.AwaitClosed();
}

class HostileClientsTest : public BothKinds {
 protected:
  HostileClientsTest() : upstream_(EchoFirst), proxy_(GetParam(), upstream_.address()) {
    neighbour_ = std::make_unique<DownstreamCall>(proxy_.channel());
    neighbour_->Start();
    ExpectNeighbour();
  }

  ~HostileClientsTest() override {
    ExpectNeighbour();
    EXPECT_TRUE(neighbour_->End().ok());
    neighbour_.reset();
    EXPECT_EQ(proxy_.Metric("lanekeeper_upstream_connections"), 1);
    EXPECT_EQ(proxy_.Metric("lanekeeper_goaways_total", {{"side", "upstream"}}), 0);
  }

  void ExpectNeighbour() {
    EXPECT_TRUE(neighbour_->Write("x"));
    EXPECT_EQ(neighbour_->Read(), "x");
  }

  void ExpectCut(const Attack& attack) {
    if (HasFailure()) return;  // the next would only wait
    SCOPED_TRACE(attack.name);
    const Tally tally(proxy_, "downstream", attack);
    const CpuWatch cpu;
    const size_t lines = log_.count(kEnded);
    RawPeer client = RawPeer::Dial(proxy_);
    client.Headers(1, RequestFields());
    // Or it would end for its handshake, where the attack takes long.
    EXPECT_TRUE(client.Await([&] { return client.settings_acknowledged() > 0; }));
    Send(client, attack, kFlood);
    EXPECT_TRUE(client.AwaitClosed());
    ExpectNeighbour();
    tally.ExpectOne();
    cpu.ExpectLessThan(kCpuOfAnAttack);
    EXPECT_EQ(log_.count(kEnded), lines + 1);
    EXPECT_TRUE(Eventually([&] { return proxy_.app().registry().open() == 1; }));
  }

  static constexpr char kEnded[] = "downstream connection ended";

  KeptLines log_;
  ScriptedUpstream upstream_;
  ProxyHarness proxy_;
  std::unique_ptr<DownstreamCall> neighbour_;
};
LANEKEEPER_BOTH_KINDS(HostileClientsTest);

TEST_P(HostileClientsTest, EachAttackEndsItsConnectionAloneAndIsToldOnce) {
  const MemoryWatch memory;
  for (const Attack& attack : AttacksOfBothSides(3, 0)) ExpectCut(attack);
  memory.ExpectGrownByLessThan(64 * kMiB);
}

TEST_P(HostileClientsTest, EachAttackWithStreamsEndsItsConnectionAloneAndIsToldOnce) {
  const MemoryWatch memory;
  for (const Attack& attack : AttacksOfClients()) ExpectCut(attack);
  memory.ExpectGrownByLessThan(64 * kMiB);
}

TEST_P(HostileClientsTest, OtherProtocolsAreHungUpOnAndToldOnce) {
  const std::vector<Attack> begins = {
      {"HTTP/1.1", "http1", "",
       [](uint32_t) { return "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"; }},
      {"TLS", "tls", "", [](uint32_t) { return std::string("\x16\x03\x01\x02\x00\x01", 6); }},
      {"garbage", "not_http2", "", [](uint32_t) { return std::string(10'000, '\xfa'); }}};
  for (const Attack& attack : begins) {
    SCOPED_TRACE(attack.name);
    const Tally tally(proxy_, "downstream", attack);
    const size_t lines = log_.count(kEnded);
    RawHttp2 client = RawHttp2::Connect(proxy_.app().listener().ports().front());
    EXPECT_TRUE(client.SendBytes(attack.frames(0)));
    client.ReadText();
    EXPECT_TRUE(client.closed());
    tally.ExpectOne();
    EXPECT_EQ(log_.count(kEnded), lines + 1);
    ExpectNeighbour();
  }
}

// ---- what one connection may do without end, and what it may hold

TEST_P(HostileClientsTest, ABlockOfTenThousandFieldsIsRefusedAlone) {
  const MemoryWatch memory;
  RawPeer client = RawPeer::Dial(proxy_);
  for (uint32_t stream = 1; stream < 40; stream += 2) {
    client.Headers(stream, RequestFields(Fields(10'000, {"x", "v"})), kEndStream);
    ASSERT_TRUE(client.AwaitOver(stream));
    EXPECT_EQ(client[stream].status(), "8");
  }
  memory.ExpectGrownByLessThan(32 * kMiB);
  EXPECT_EQ(proxy_.Metric("lanekeeper_resets_total", {{"side", "upstream"}}), 0);
}

// One byte of a table entry costs 4 KiB of metadata: what counts is the size after decoding.
TEST_P(HostileClientsTest, ReferencesToALargeFieldAreRefusedAlone) {
  const std::string large = std::string("\x40\x07x-large\x7f\xa1\x1e", 12) + std::string(4000, 'v');
  const MemoryWatch memory;
  RawPeer client = RawPeer::Dial(proxy_);
  client.Send(kHeaders, kEndHeaders | kEndStream, 1,
              RequestBlock() + large + std::string(8000, '\xbe'));
  EXPECT_TRUE(client.AwaitOver(1));
  EXPECT_EQ(client[1].status(), "8");
  memory.ExpectGrownByLessThan(16 * kMiB);
}

// They count as no RPC, so limits.open_rpcs does not bound them.
TEST_P(HostileClientsTest, RequestsThatAreNotGrpcDoNotPileUpBehindAClosedWindow) {
  constexpr uint32_t kRequests = 5000;
  constexpr uint32_t kMayWait = 100;
  RawPeer client = RawPeer::Dial(proxy_, Setting(kInitialWindowSize, 0));
  std::string requests;
  for (uint32_t nth = 0; nth < kRequests; ++nth) {
    requests += Begun(nth, Without(RequestFields(), "content-type"));
  }
  ASSERT_TRUE(client.SendBytes(requests));
  EXPECT_TRUE(client.Await([&] { return client.over() >= kRequests - kMayWait; })) << client.over();
}

// The table of our encoder stays at what it is, or the peer could not decode.
TEST_P(HostileClientsTest, ALargerCompressionTableIsNotTakenUp) {
  RawPeer client = RawPeer::Dial(proxy_, Setting(kHeaderTableSize, 0xffffffff));
  for (uint32_t stream = 1; stream < 2000; stream += 2) {
    client.Headers(stream, RequestFields({{"grpc-timeout", "bad " + std::to_string(stream)}}),
                   kEndStream);
    ASSERT_TRUE(client.AwaitOver(stream));
    ASSERT_EQ(client[stream].status(), "13") << stream;
  }
}

// ---- what never ends

class SlowClientsTest : public HostileClientsTest {};
LANEKEEPER_BOTH_KINDS(SlowClientsTest);

// Ten seconds are as long as they get.
TEST_P(SlowClientsTest, WhoDoesNotFinishIsHungUpOn) {
  constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string settings = FrameBytes(kSettings, 0, 0, "");
  const std::string acknowledged = kPreface + settings + FrameBytes(kSettings, kAck, 0, "");
  const std::string headers = FrameBytes(kHeaders, 0, 1, RequestBlock());
  const std::string begins[] = {"",
                                "P",
                                std::string(kPreface).substr(0, 23),
                                kPreface,
                                kPreface + settings.substr(0, 8),
                                kPreface + settings,  // ours are never acknowledged
                                acknowledged + settings.substr(0, 5),
                                acknowledged + headers.substr(0, 20),
                                acknowledged + headers,  // whose block does not end
                                acknowledged + FrameBytes(kPing, 0, 0, "complete").substr(0, 12)};
  constexpr size_t kEach = 2;
  std::vector<RawHttp2> clients;
  for (const std::string& begin : begins) {
    for (size_t i = 0; i < kEach; ++i) {
      clients.push_back(RawHttp2::Connect(proxy_.app().listener().ports().front()));
      ASSERT_TRUE(clients.back().SendBytes(begin));
    }
  }
  // Those may be as slow as they like.
  RawHttp2 idle = RawHttp2::Connect(proxy_.app().listener().ports().front());
  ASSERT_TRUE(idle.SendBytes(acknowledged));
  RawHttp2 in_data = RawHttp2::Connect(proxy_.app().listener().ports().front());
  ASSERT_TRUE(in_data.SendBytes(acknowledged +
                                FrameBytes(kHeaders, kEndHeaders, 1, RequestBlock()) +
                                FrameBytes(kData, 0, 1, std::string(100, 'x')).substr(0, 50)));

  EXPECT_TRUE(proxy_.AwaitMetric("lanekeeper_faulty_connections_total",
                                 {{"side", "downstream"}, {"reason", "slow"}},
                                 static_cast<double>(clients.size())));
  for (RawHttp2& client : clients) {
    while (client.ReadAny()) {
    }
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(log_.count(kEnded), clients.size());
  ExpectNeighbour();
  // They, and the neighbour.
  EXPECT_EQ(proxy_.Metric("lanekeeper_downstream_connections"), 3);
  ASSERT_TRUE(idle.Send(kPing, 0, 0, "are here"));
  EXPECT_TRUE([&] {
    for (auto frame = idle.ReadAny(); frame; frame = idle.ReadAny()) {
      if (frame->type == kPing && (frame->flags & kAck) != 0) return true;
    }
    return false;
  }());
}

}  // namespace
}  // namespace lanekeeper::testing
