// The port of metrics and probes is open to whoever reaches it: nobody keeps the kubelet out.
#include <gmock/gmock.h>
#include <prometheus/metric_family.h>

#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/admin/observability_server.h"
#include "proxy/observe/readiness.h"
#include "tests/unit/admin/raw_connection.h"

namespace lanekeeper::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kProbe[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr char kScrape[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

// Metrics whose collection takes for as long as the test wants.
class SlowMetrics : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    std::call_once(once_, [this] { begun_.set_value(); });
    go_on_.wait();
    return {};
  }
  void AwaitBegin() { begun_.get_future().wait(); }
  void GoOn() {
    if (go_on_.wait_for(0s) != std::future_status::ready) may_go_on_.set_value();
  }

 private:
  mutable std::once_flag once_;
  mutable std::promise<void> begun_;
  std::promise<void> may_go_on_;
  std::shared_future<void> go_on_{may_go_on_.get_future().share()};
};

// Whatever would end a wait by itself is far beyond the test's own time.
class ObservabilityTest : public ::testing::Test {
 protected:
  ObservabilityTest() {
    limits_.first_bytes = {8, 1h};
    limits_.scrapes = {1, 1};
    limits_.scrape.request_time = 1h;
    readiness_.SetReady();
  }

  ~ObservabilityTest() override { metrics_.GoOn(); }

  const std::string& name() {
    if (!server_) {
      server_.emplace("127.0.0.1:0", metrics_, readiness_, limits_);
      name_ = server_->name();
    }
    return name_;
  }
  std::string Probe() { return Exchange(name(), kProbe); }

  ObservabilityLimits limits_;
  SlowMetrics metrics_;
  Readiness readiness_;

 private:
  std::string name_;
  std::optional<ObservabilityServer> server_;
};

TEST_F(ObservabilityTest, WhoIsSilentOrDripsTakesNoThread) {
  std::vector<RawConnection> slow;
  for (int i = 0; i < 20; ++i) {
    slow.emplace_back(name());
    ASSERT_TRUE(slow.back().Send(i % 2 == 0 ? "" : "GET /livez HTTP/1.1\r\nslow: "));
    EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  }
  // The one that has waited longest makes room.
  EXPECT_TRUE(slow.front().IsClosed());
  ASSERT_TRUE(slow.back().Send("\r\n\r\n"));
  EXPECT_THAT(slow.back().ReadAll(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ObservabilityTest, WhoSaysNothingIsClosedAfterAWhile) {
  limits_.first_bytes.patience = 50ms;
  RawConnection silent(name());
  EXPECT_TRUE(silent.IsClosed());
}

TEST_F(ObservabilityTest, ProbesDoNotWaitForScrapes) {
  RawConnection scrape(name());
  ASSERT_TRUE(scrape.Send(kScrape));
  metrics_.AwaitBegin();
  RawConnection waits(name());
  ASSERT_TRUE(waits.Send(kScrape));
  // One is served and one waits.
  EXPECT_THAT(Exchange(name(), kScrape), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  metrics_.GoOn();
  EXPECT_THAT(scrape.ReadAll(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ObservabilityTest, ALongHeadThatIsNotThereIsNotWaitedFor) {
  limits_.probes = {1, 64};
  const std::string head = "GET /livez HTTP/1.1\r\nlong: " + std::string(kFirstBytesMax, 'x');
  std::vector<RawConnection> slow;
  for (int i = 0; i < 32; ++i) {
    slow.emplace_back(name());
    ASSERT_TRUE(slow.back().Send(head));
  }
  EXPECT_THAT(Probe(), StartsWith("HTTP/1.1 200"));
  for (RawConnection& one : slow) EXPECT_THAT(one.ReadAll(), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Exchange(name(), head + "\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ObservabilityTest, ABodyIsNotWaitedFor) {
  for (const std::string path : {"/livez", "/metrics"}) {
    EXPECT_THAT(Exchange(name(), "POST " + path + " HTTP/1.1\r\nContent-Length: 9\r\n\r\n"),
                StartsWith("HTTP/1.1 404"));
  }
}

TEST_F(ObservabilityTest, AnswersAreThoseOfTheirPaths) {
  for (const auto& [path, status] :
       std::vector<std::pair<std::string, std::string>>{{"/livez", "200"},
                                                        {"/readyz?x=1", "200"},
                                                        {"/startupz", "200"},
                                                        {"/", "404"},
                                                        {"/metrics/more", "404"},
                                                        {"/%6detrics", "404"}}) {
    EXPECT_THAT(Exchange(name(), "GET " + path + " HTTP/1.1\r\n\r\n"),
                StartsWith("HTTP/1.1 " + status))
        << path;
  }
  const std::string head = Exchange(name(), "HEAD /livez HTTP/1.1\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(head, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(ObservabilityTest, OtherProtocolsAreSentAway) {
  RawConnection tls(name());
  ASSERT_TRUE(tls.Send("\x16\x03\x01\x02"));
  EXPECT_TRUE(tls.IsClosed());
  // In words that a client of gRPC understands.
  EXPECT_THAT(Exchange(name(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

}  // namespace
}  // namespace lanekeeper::testing
