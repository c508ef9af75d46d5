// TLS on both sides, with gRPC C++ as application and as upstream.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <sys/stat.h>

#include <cstdio>
#include <ctime>

#include "proxy/base/fd.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_harness.h"
#include "tests/support/tls_files.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kDownload[] = "/lanekeeper.tests.Service/Download";
constexpr char kUpload[] = "/lanekeeper.tests.Service/Upload";
constexpr int kMessages = 50;

// A stream of responses to one request, a response to a stream of requests; otherwise an echo.
void Serve(UpstreamCall& call) {
  if (call.method() == kDownload) {
    const std::string request = call.Read().value_or("none");
    EXPECT_FALSE(call.Read());
    for (int i = 0; i < kMessages; ++i) call.Write(request + std::to_string(i));
    call.Finish();
  } else if (call.method() == kUpload) {
    std::string all;
    while (const auto request = call.Read()) all += *request + " ";
    call.Write(all);
    call.Finish();
  } else {
    Echo(call);
  }
}

// A gRPC server that speaks TLS, and wants certificates of clients if told.
class TlsUpstream {
 public:
  TlsUpstream(const TlsFixture& tls, const std::string& names, bool wants_certificates = false)
      : upstream_(Serve, 0, [&](grpc::ServerBuilder& builder) {
          const Pem pem = tls.authority().Issue("upstream", names);
          grpc::SslServerCredentialsOptions options(
              wants_certificates ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
          options.pem_key_cert_pairs = {{pem.key, pem.certificate}};
          if (wants_certificates) options.pem_root_certs = tls.authority().certificate();
          builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
        }) {}

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string plain_address() const { return upstream_.address(); }

 private:
  int port_ = 0;
  FakeUpstream upstream_;
};

class TlsTest : public BothKinds {
 protected:
  // The listener speaks TLS.
  void UnderTls(Config& config, const TlsServerFiles& files) const {
    config.listen[0].tls = {files.certificate, files.key, files.client_ca, files.client_names};
  }

  std::shared_ptr<grpc::Channel> Channel(const ProxyHarness& proxy, const Pem& own = {},
                                         const std::string& name = "server.test") const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = tls_.authority().certificate();
    options.pem_private_key = own.key;
    options.pem_cert_chain = own.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(name);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(proxy.address(), grpc::SslCredentials(options), arguments);
  }

  const TlsFixture tls_;
};
LANEKEEPER_BOTH_KINDS(TlsTest);

TEST_P(TlsTest, AllKindsOfRpcsPassThroughMutualTlsOnBothSides) {
  TlsUpstream upstream(tls_, "IP:127.0.0.1", true);
  TlsServerFiles files = tls_.ServerFiles();
  files.client_ca = tls_.ca();
  files.client_names = {"spiffe://shop/web"};
  const TlsClientFiles own = tls_.ClientFiles("DNS:lanekeeper");
  ProxyHarness proxy(GetParam(), upstream.address(), [&](Config& config) {
    UnderTls(config, files);
    config.upstream.tls = {own.ca, own.certificate, own.key, {}};
  });
  const auto channel = Channel(proxy, tls_.authority().Issue("web", "URI:spiffe://shop/web"));
  for (const size_t bytes : {0u, 1u, 100u, 16383u, 16384u, 16385u, 1'000'000u, 20'000'000u}) {
    const std::string message(bytes, 'm');
    const UnaryResult result = Unary(channel, message);
    ASSERT_TRUE(result.status.ok()) << bytes << ": " << result.status.error_message();
    ASSERT_TRUE(result.response == message) << bytes;
  }
  // Both ways at once, then each way alone.
  DownstreamCall call(channel);
  call.Start();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(call.Write(std::to_string(i)));
    ASSERT_EQ(call.Read(), std::to_string(i));
  }
  for (int i = 0; i < kMessages; ++i) ASSERT_TRUE(call.Write(std::string(1000, 'a')));
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(call.Read(), std::string(1000, 'a'));
  EXPECT_TRUE(call.End().ok());
  DownstreamCall download(channel, kDownload);
  ASSERT_TRUE(download.Start().Write("of "));
  ASSERT_TRUE(download.WritesDone());
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(download.Read(), "of " + std::to_string(i));
  EXPECT_FALSE(download.Read());
  EXPECT_TRUE(download.Finish().ok());
  DownstreamCall upload(channel, kUpload);
  upload.Start();
  std::string all;
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(upload.Write(std::to_string(i)));
    all += std::to_string(i) + " ";
  }
  ASSERT_TRUE(upload.WritesDone());
  EXPECT_EQ(upload.Read(), all);
  EXPECT_FALSE(upload.Read());
  EXPECT_TRUE(upload.Finish().ok());
  EXPECT_EQ(proxy.Metric("lanekeeper_tls_handshakes_total", {{"outcome", "ok"}}), 2);
}

TEST_P(TlsTest, AnUpstreamThatIsSomebodyElseIsNotTalkedTo) {
  TlsUpstream upstream(tls_, "DNS:other.test");
  ProxyHarness proxy(GetParam(), upstream.address(), [&](Config& config) {
    config.upstream.tls.ca = tls_.ca();
    config.upstream.tls.server_name = "orders.test";
  });
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.status.error_message(),
              HasSubstr("certificate verify failed: hostname mismatch: expected orders.test, the "
                        "certificate is for other.test"));
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_tls_handshakes_total",
                                {{"side", "upstream"}, {"outcome", "wrong_name"}}, 1));
}

TEST_P(TlsTest, AnUpstreamOfAnAuthorityThatIsNotTrustedIsNotTalkedTo) {
  TlsUpstream upstream(tls_, "IP:127.0.0.1");
  const TestAuthority other("other");
  ProxyHarness proxy(GetParam(), upstream.address(), [&](Config& config) {
    config.upstream.tls.ca = tls_.folder().Write("other.crt", other.certificate());
  });
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.status.error_message(), HasSubstr("unable to get local issuer certificate"));
}

TEST_P(TlsTest, AnUpstreamThatWantsACertificateIsToldOfByItsRefusal) {
  TlsUpstream upstream(tls_, "IP:127.0.0.1", true);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { config.upstream.tls.ca = tls_.ca(); });
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.status.error_message(),
              HasSubstr("it had asked for a certificate, and none is configured"));
}

TEST_P(TlsTest, AnUpstreamThatIsPlainIsToldOf) {
  TlsUpstream upstream(tls_, "IP:127.0.0.1");
  ProxyHarness proxy(GetParam(), upstream.plain_address(),
                     [&](Config& config) { config.upstream.tls.ca = tls_.ca(); });
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(result.status.error_message(),
              HasSubstr("the upstream speaks plain HTTP/2, not TLS"));
}

TEST_P(TlsTest, APlainDialOfAnUpstreamUnderTlsIsToldOf) {
  TlsUpstream upstream(tls_, "IP:127.0.0.1");
  ProxyHarness proxy(GetParam(), upstream.address());
  const UnaryResult result = Unary(proxy.channel(), "x");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_P(TlsTest, ApplicationsThatAreNotWelcomeDoNotGetIn) {
  FakeUpstream upstream(Echo);
  TlsServerFiles files = tls_.ServerFiles();
  files.client_ca = tls_.ca();
  files.client_names = {"web"};
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, files); });
  const TestAuthority other("other");
  const struct {
    Pem own;
    const char* outcome;
  } cases[] = {{{}, "no_certificate"},
               {other.Issue("client", "DNS:web"), "bad_certificate"},
               {tls_.authority().Issue("client", "DNS:web", {-7200, -3600}), "bad_certificate"},
               {tls_.authority().Issue("web", "DNS:other"), "wrong_name"}};
  for (const auto& one : cases) {
    const double before =
        proxy.Metric("lanekeeper_tls_handshakes_total", {{"outcome", one.outcome}});
    EXPECT_EQ(Unary(Channel(proxy, one.own), "x").status.error_code(),
              grpc::StatusCode::UNAVAILABLE);
    EXPECT_TRUE(Eventually([&] {
      return proxy.Metric("lanekeeper_tls_handshakes_total", {{"outcome", one.outcome}}) > before;
    })) << one.outcome;
  }
  EXPECT_EQ(upstream.calls(), 0);
  EXPECT_EQ(
      proxy.Metric("lanekeeper_tls_handshakes_total", {{"side", "downstream"}, {"outcome", "ok"}}),
      0);
  EXPECT_EQ(Unary(Channel(proxy, tls_.authority().Issue("a", "DNS:web")), "x").response, "x");
}

TEST_P(TlsTest, WhoSpeaksPlainToATlsPortIsCountedAndClosed) {
  FakeUpstream upstream(Echo);
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, tls_.ServerFiles()); });
  EXPECT_EQ(Unary(proxy.channel(), "x").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Eventually([&] {
    return proxy.Metric("lanekeeper_tls_handshakes_total", {{"outcome", "not_tls"}}) > 0;
  }));
}

TEST_P(TlsTest, CertificatesAreReadAgainWhileRpcsGoOn) {
  FakeUpstream upstream(Echo);
  const TlsServerFiles files = tls_.ServerFiles("DNS:old.test");
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, files); });
  DownstreamCall call(Channel(proxy, {}, "old.test"));
  call.Start();
  ASSERT_TRUE(call.Write("before"));
  ASSERT_EQ(call.Read(), "before");

  const Pem renewed = tls_.authority().Issue("renewed", "DNS:new.test", {-3600, 1'000'000});
  tls_.folder().Write("server.crt", renewed.certificate);
  tls_.folder().Write("server.key", renewed.key);
  EXPECT_TRUE(
      Eventually([&] { return Unary(Channel(proxy, {}, "new.test"), "x").response == "x"; }));
  // Who came earlier notices nothing.
  ASSERT_TRUE(call.Write("after"));
  EXPECT_EQ(call.Read(), "after");
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(proxy.Metric("lanekeeper_tls_reload_success"), 1);
  const double left = proxy.Metric("lanekeeper_tls_certificate_expiry_timestamp_seconds",
                                   {{"file", files.certificate}}) -
                      static_cast<double>(std::time(nullptr));
  EXPECT_NEAR(left, 1'000'000, 100);
}

TEST_P(TlsTest, FilesThatCannotBeUsedChangeNothing) {
  FakeUpstream upstream(Echo);
  const TlsServerFiles files = tls_.ServerFiles();
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, files); });
  tls_.folder().Write("server.key", "nonsense");
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_tls_reload_success", {}, 0));
  EXPECT_EQ(Unary(Channel(proxy), "x").response, "x");
  const Pem good = tls_.authority().Issue("server", "DNS:server.test");
  tls_.folder().Write("server.crt", good.certificate);
  tls_.folder().Write("server.key", good.key);
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_tls_reload_success", {}, 1));
  EXPECT_EQ(Unary(Channel(proxy), "x").response, "x");
}

// A file that cannot be read to its end: here a pipe that somebody holds open, elsewhere a network
// file system. It holds nobody up.
TEST_P(TlsTest, RpcsGoOnWhileFilesAreRead) {
  FakeUpstream upstream(Echo);
  const TlsServerFiles files = tls_.ServerFiles();
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, files); });
  DownstreamCall call(Channel(proxy));
  call.Start();
  ASSERT_TRUE(call.Write("before"));
  ASSERT_EQ(call.Read(), "before");
  const std::string pipe = files.key + ".pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(std::rename(pipe.c_str(), files.key.c_str()), 0);
  Fd writer;
  const auto is_read = [&] {
    writer = Fd(open(files.key.c_str(), O_WRONLY | O_NONBLOCK));
    return static_cast<bool>(writer);
  };
  ASSERT_TRUE(Eventually(is_read));
  ASSERT_TRUE(call.Write("meanwhile"));
  EXPECT_EQ(call.Read(), "meanwhile");
  EXPECT_EQ(Unary(Channel(proxy), "x").response, "x");
  writer = Fd();  // what has been read is no key
  EXPECT_TRUE(proxy.AwaitMetric("lanekeeper_tls_reload_success", {}, 0));
  EXPECT_TRUE(call.End().ok());
}

TEST_P(TlsTest, AnotherAuthorityForClientsCountsForTheNextHandshake) {
  FakeUpstream upstream(Echo);
  TlsServerFiles files = tls_.ServerFiles();
  files.client_ca = tls_.folder().Write("clients.crt", tls_.authority().certificate());
  ProxyHarness proxy(GetParam(), upstream.address(),
                     [&](Config& config) { UnderTls(config, files); });
  const Pem first = tls_.authority().Issue("first", "DNS:first");
  ASSERT_EQ(Unary(Channel(proxy, first), "x").response, "x");
  const TestAuthority next("next");
  tls_.folder().Write("clients.crt", next.certificate());
  const Pem second = next.Issue("second", "DNS:second");
  EXPECT_TRUE(Eventually([&] { return Unary(Channel(proxy, second), "x").response == "x"; }));
  EXPECT_EQ(Unary(Channel(proxy, first), "x").status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace lanekeeper::testing
