#include "tests/conformance/routes.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <unistd.h>

#include <atomic>

namespace lanekeeper::testing {
namespace {

std::string NewSocketPath() {
  static std::atomic<int> next{0};
  return ::testing::TempDir() + "lk-" + std::to_string(getpid()) + "-" + std::to_string(++next);
}

}  // namespace

const std::vector<RouteKind>& Routes() {
  static const std::vector<RouteKind> routes = {
      {"Direct", 0, RpcThreadKind::kUser, false},
      {"UserTcp", 1, RpcThreadKind::kUser, false},
      {"UserUnix", 1, RpcThreadKind::kUser, true},
      {"KernelTcp", 1, RpcThreadKind::kKernel, false},
      {"KernelUnix", 1, RpcThreadKind::kKernel, true},
      {"UserChain", 2, RpcThreadKind::kUser, false},
      {"KernelChain", 2, RpcThreadKind::kKernel, true},
  };
  return routes;
}

const RouteKind& DirectRoute() { return Routes().front(); }

std::string RouteNames() {
  std::string names;
  for (const RouteKind& route : Routes()) {
    names += (names.empty() ? "" : " ") + std::string(route.name);
  }
  return names;
}

Route::Route(const RouteKind& kind, const std::string& upstream, const Change& change)
    : target_(upstream) {
  for (size_t i = 0; i < kind.proxies; ++i) {
    const std::string path = NewSocketPath();
    auto proxy = std::make_unique<ProxyHarness>(kind.threads, target_, [&](Config& config) {
      if (kind.unix_socket) config.listen = {{"unix://" + path}};
      if (change) change(config);
    });
    target_ = kind.unix_socket ? "unix:" + path : proxy->address();
    proxies_.insert(proxies_.begin(), std::move(proxy));
  }
}

Route::~Route() {
  // From the client's side on: a proxy must be idle before the one behind it ends.
  for (auto& proxy : proxies_) proxy->Stop();
}

std::shared_ptr<grpc::Channel> Route::NewChannel(grpc::ChannelArguments arguments) const {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024);
  // Cases look at the authority: it must not depend on the socket that was dialled.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "conformance.test");
  return grpc::CreateCustomChannel(target_, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace lanekeeper::testing
