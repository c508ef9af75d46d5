// Names whose addresses come late, go, and change, with a name server of the test's own.
#include <gmock/gmock.h>

#include <memory>
#include <mutex>
#include <set>

#include "tests/integration/many_connections.h"
#include "tests/integration/raw_peer.h"
#include "tests/support/fake_upstream.h"

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr char kConnections[] = "lanekeeper_upstream_connections";
constexpr char kTarget[] = "dns:///orders.test:50051";

class OutageNamesTest : public BothKinds {};
LANEKEEPER_BOTH_KINDS(OutageNamesTest);

// The addresses of the only name: ports of this machine. The look-up's thread shares it.
class NameServer {
 public:
  void Set(std::vector<int> ports) {
    const std::lock_guard lock(mutex_);
    ports_ = std::move(ports);
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // Whether it is asked after this.
  bool AwaitQuestion() const {
    const int before = asked();
    return Eventually([&] { return asked() > before; });
  }
  Resolver::Answer LookUp() {
    const std::lock_guard lock(mutex_);
    ++asked_;
    Resolver::Answer answer;
    for (const int port : ports_) {
      answer.addresses.push_back(*SocketAddress::FromIp("127.0.0.1", static_cast<uint16_t>(port)));
    }
    if (ports_.empty()) answer.error = "Name or service not known";
    return answer;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<int> ports_;
  int asked_ = 0;
};

ChannelTraits NamesBy(const std::shared_ptr<NameServer>& names) {
  return {.look_up = [names](const std::string&, uint16_t) { return names->LookUp(); }};
}

void RoundRobin(Config& config) {
  config.upstream.load_balancing = LoadBalancing::kRoundRobin;
  config.upstream.resolve_interval = milliseconds(20);
}

// Answers with a word, then echoes.
class NamedUpstream {
 public:
  explicit NamedUpstream(const std::string& word)
      : upstream_([word](UpstreamCall& call) {
          call.SendHeaders({{"served-by", word}});
          Echo(call);
        }) {}
  int port() const { return upstream_.port(); }

 private:
  FakeUpstream upstream_;
};

std::string ServedBy(DownstreamCall& call) {
  const std::vector<std::string> words = call.Header("served-by");
  return words.empty() ? "" : words[0];
}

// Who serves one more call, or the code of its failure.
std::string AskOnce(const ProxyHarness& proxy) {
  DownstreamCall call(proxy.channel());
  call.Start();
  const grpc::Status status = call.End();
  return status.ok() ? ServedBy(call) : std::to_string(status.error_code());
}

bool ServesFromNowOn(const ProxyHarness& proxy, const std::set<std::string>& wanted) {
  return Eventually([&] {
    std::set<std::string> seen;
    for (int i = 0; i < 12; ++i) seen.insert(AskOnce(proxy));
    return seen == wanted;
  });
}

TEST_P(OutageNamesTest, AnEmptyFirstAnswerIsAskedAgain) {
  const auto names = std::make_shared<NameServer>();
  NamedUpstream upstream("a");
  ProxyHarness proxy(GetParam(), kTarget, {}, NamesBy(names));
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.status.error_message(),
              HasSubstr("cannot resolve 'orders.test': Name or service not known"));
  names->Set({upstream.port()});
  EXPECT_TRUE(ServesFromNowOn(proxy, {"a"}));
}

TEST_P(OutageNamesTest, AnRpcThatMayWaitOutlivesAnEmptyAnswer) {
  const auto names = std::make_shared<NameServer>();
  NamedUpstream upstream("a");
  ProxyHarness proxy(
      GetParam(), kTarget, [](Config& config) { config.upstream.wait_for_ready = true; },
      NamesBy(names));
  DownstreamCall call(proxy.channel());
  call.Start();
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_streams_awaiting_upstream", {}, 1));
  EXPECT_TRUE(names->AwaitQuestion());
  names->Set({upstream.port()});
  EXPECT_TRUE(call.End().ok());
}

TEST_P(OutageNamesTest, WhereTheNameMovesIsFoundWhenTheOldAddressIsLost) {
  const auto names = std::make_shared<NameServer>();
  auto a = std::make_unique<NamedUpstream>("a");
  NamedUpstream b("b");
  names->Set({a->port()});
  ProxyHarness proxy(GetParam(), kTarget, {}, NamesBy(names));
  EXPECT_EQ(AskOnce(proxy), "a");
  EXPECT_EQ(names->asked(), 1) << "asked without need";
  names->Set({b.port()});
  EXPECT_EQ(AskOnce(proxy), "a");
  a.reset();
  EXPECT_TRUE(ServesFromNowOn(proxy, {"b"}));
}

TEST_P(OutageNamesTest, ByIntervalTheNameIsFollowedAndNoRpcFails) {
  const auto names = std::make_shared<NameServer>();
  NamedUpstream a("a"), b("b");
  names->Set({a.port()});
  ProxyHarness proxy(
      GetParam(), kTarget,
      [](Config& config) { config.upstream.resolve_interval = milliseconds(20); }, NamesBy(names));
  DownstreamCall stays(proxy.channel());
  stays.Start();
  ASSERT_TRUE(stays.Write("x"));
  ASSERT_EQ(stays.Read(), "x");
  names->Set({b.port()});
  EXPECT_TRUE(Eventually([&] {
    const std::string by = AskOnce(proxy);
    EXPECT_TRUE(by == "a" || by == "b") << by;
    return by == "b";
  })) << "the name is not followed";
  ASSERT_TRUE(stays.Write("y"));
  EXPECT_EQ(stays.Read(), "y");
  EXPECT_TRUE(stays.End().ok());
  EXPECT_EQ(ServedBy(stays), "a");
}

// The addresses of before go on being used and dialled.
TEST_P(OutageNamesTest, WithoutANameServerWhatWasKnownServes) {
  const auto names = std::make_shared<NameServer>();
  auto upstream = std::make_unique<FakeUpstream>(Echo);
  const int port = upstream->port();
  names->Set({port});
  ProxyHarness proxy(
      GetParam(), kTarget,
      [](Config& config) { config.upstream.resolve_interval = milliseconds(20); }, NamesBy(names));
  EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok());
  names->Set({});
  EXPECT_TRUE(names->AwaitQuestion());
  EXPECT_TRUE(names->AwaitQuestion());
  EXPECT_TRUE(Unary(proxy.channel(), "x").status.ok());
  upstream.reset();
  EXPECT_TRUE(Eventually([&] {
    return Unary(proxy.channel(), "x").status.error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  upstream = std::make_unique<FakeUpstream>(Echo, port);
  EXPECT_TRUE(Eventually([&] { return Unary(proxy.channel(), "x").status.ok(); }));
}

TEST_P(OutageNamesTest, RoundRobinFollowsAddressesThatComeAndGo) {
  const auto names = std::make_shared<NameServer>();
  NamedUpstream a("a"), b("b"), c("c");
  names->Set({a.port(), b.port()});
  ProxyHarness proxy(GetParam(), kTarget, RoundRobin, NamesBy(names));
  EXPECT_TRUE(ServesFromNowOn(proxy, {"a", "b"}));
  std::vector<std::unique_ptr<DownstreamCall>> stay;
  for (int i = 0; i < 2; ++i) {
    stay.push_back(std::make_unique<DownstreamCall>(proxy.channel()));
    stay.back()->Start();
    ASSERT_TRUE(stay.back()->AwaitHeaders());
  }
  names->Set({b.port(), c.port()});
  EXPECT_TRUE(ServesFromNowOn(proxy, {"b", "c"}));
  for (const auto& call : stay) {
    ASSERT_TRUE(call->Write("still here"));
    EXPECT_EQ(call->Read(), "still here");
    EXPECT_TRUE(call->End().ok());
  }
  EXPECT_TRUE(proxy.AwaitMetric(kConnections, {}, 2));
  names->Set({a.port(), b.port(), c.port()});
  EXPECT_TRUE(ServesFromNowOn(proxy, {"a", "b", "c"}));
}

TEST_P(OutageNamesTest, RoundRobinKeepsWhatServesUntilWhatIsNewDoes) {
  const auto names = std::make_shared<NameServer>();
  NamedUpstream a("a"), b("b");
  names->Set({a.port()});
  ProxyHarness proxy(GetParam(), kTarget, RoundRobin, NamesBy(names));
  EXPECT_TRUE(ServesFromNowOn(proxy, {"a"}));
  names->Set({1});  // refuses
  EXPECT_TRUE(names->AwaitQuestion());
  EXPECT_TRUE(names->AwaitQuestion());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(AskOnce(proxy), "a");
  names->Set({b.port()});
  EXPECT_TRUE(ServesFromNowOn(proxy, {"b"}));
}

// Opens a stream on the client's connection, and says whether it has been answered.
bool OpenStream(RawPeer& client, uint32_t stream) {
  client.Headers(stream, RequestFields());
  return client.AwaitHeaders(stream);
}

// Answers each request with headers, and never ends it.
void NeverEnd(int fd) {
  RawPeer peer(RawHttp2::Accepted(fd));
  std::set<uint32_t> answered;
  peer.Await(
      [&] {
        for (const auto& [id, stream] : peer.streams()) {
          if (!stream.blocks.empty() && answered.insert(id).second) peer.Respond(id);
        }
        return peer.http2().closed();
      },
      std::chrono::seconds(100));
}

// Each long stream holds the connection that it is on.
TEST_P(OutageNamesTest, ANameThatMovesAgainAndAgainDoesNotPileConnectionsUp) {
  constexpr int kMost = 1 + 16;
  const auto names = std::make_shared<NameServer>();
  const auto serve = [](int fd, int) { NeverEnd(fd); };
  ManyConnections even(serve), odd(serve);
  names->Set({even.port()});
  ProxyHarness proxy(
      GetParam(), kTarget,
      [](Config& config) { config.upstream.resolve_interval = milliseconds(5); }, NamesBy(names));
  RawPeer client = RawPeer::Dial(proxy);
  uint32_t stream = 1;
  for (int moves = 1; moves < kMost + 8; ++moves, stream += 2) {
    ASSERT_TRUE(OpenStream(client, stream));
    names->Set({moves % 2 == 0 ? even.port() : odd.port()});
    EXPECT_TRUE(names->AwaitQuestion());
    if (moves < kMost) {
      EXPECT_TRUE(proxy.AwaitMetric(kConnections, {}, moves + 1));
    }
  }
  EXPECT_EQ(even.dials() + odd.dials(), kMost);
  // Where some have ended there is room for others.
  for (uint32_t ends = 1; ends < 9; ends += 2) client.Reset(ends, kCancel);
  EXPECT_TRUE(proxy.AwaitMetric(kConnections, {}, kMost - 4));
  ASSERT_TRUE(OpenStream(client, stream));
}

}  // namespace
}  // namespace lanekeeper::testing
