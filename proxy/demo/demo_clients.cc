#include "proxy/demo/demo_clients.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/demo/demo_calls.h"
#include "proxy/demo/metrics_scrape.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // Channels to one target share a connection otherwise, and 50 clients would be one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy that the environment names must not come between the clients and the target.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// The sum of all clients' tallies, filled by their threads.
class Tally {
 public:
  void Add(const CallTally& call) {
    const std::lock_guard lock(mutex_);
    ++summary_.rpcs;
    summary_.messages_sent += call.messages_sent;
    summary_.messages_received += call.messages_received;
    if (!call.failure.empty() && summary_.failures++ == 0) summary_.first_failure = call.failure;
    changed_.notify_one();
  }

  // Waits until `rpcs` have ended, for `patience` at most; tells how many have.
  int64_t WaitFor(int64_t rpcs, milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return summary_.rpcs >= rpcs; });
    return summary_.rpcs;
  }

  DemoSummary summary() const {
    const std::lock_guard lock(mutex_);
    return summary_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  DemoSummary summary_;
};

// Counters count since the proxy started: what happened before us is not ours.
ProxyFigures Since(const ProxyFigures& before, ProxyFigures now) {
  now.rpcs -= before.rpcs;
  now.messages_to_upstream -= before.messages_to_upstream;
  now.messages_to_downstream -= before.messages_to_downstream;
  now.contract_violations -= before.contract_violations;
  return now;
}

bool Agree(const ProxyFigures& proxy, const DemoSummary& clients, int connections) {
  return proxy.downstream_connections == connections && proxy.upstream_connections == 1 &&
         proxy.rpcs == clients.rpcs && proxy.messages_to_upstream == clients.messages_sent &&
         proxy.messages_to_downstream == clients.messages_received &&
         proxy.contract_violations == 0;
}

// The proxy settles an RPC's numbers a moment after the client has its status: look again until
// they agree, for a few seconds. Empty when the metrics cannot be read.
std::optional<ProxyFigures> SettledFigures(const std::string& metrics_url,
                                           const ProxyFigures& before, const DemoSummary& clients,
                                           int connections, std::string* why) {
  const auto give_up = steady_clock::now() + seconds(5);
  while (true) {
    const std::optional<ProxyFigures> now = ReadProxyFigures(metrics_url, why);
    if (!now) return std::nullopt;
    const ProxyFigures ours = Since(before, *now);
    if (Agree(ours, clients, connections) || steady_clock::now() > give_up) return ours;
    std::this_thread::sleep_for(milliseconds(50));
  }
}

void PrintClients(const DemoSummary& clients) {
  std::cout << "\nas the clients saw it\n"
            << "  connections open " << clients.connections << "\n"
            << "  RPCs " << clients.rpcs << ", failed " << clients.failures << "\n"
            << "  messages sent " << clients.messages_sent << ", received "
            << clients.messages_received << "\n";
  if (clients.failures > 0) std::cout << "  first failure: " << clients.first_failure << "\n";
}

void PrintProxy(const ProxyFigures& proxy, const std::string& metrics_url) {
  std::cout << "as lanekeeper counted it (http://" << metrics_url << "/metrics)\n"
            << "  downstream connections " << proxy.downstream_connections << "\n"
            << "  upstream connections " << proxy.upstream_connections << "\n"
            << "  RPCs " << proxy.rpcs << "\n"
            << "  messages to_upstream " << proxy.messages_to_upstream << ", to_downstream "
            << proxy.messages_to_downstream << "\n"
            << "  contract violations " << proxy.contract_violations << "\n";
}

int Fail(const std::string& why) {
  std::cout.flush();
  std::cerr << "demo clients: " << why << "\n";
  return 1;
}

}  // namespace

DemoClients::DemoClients(const DemoClientsOptions& options) : options_(options) {}

bool DemoClients::Connect(std::ostream& progress) {
  for (int i = 0; i < options_.connections; ++i) channels_.push_back(OpenChannel(options_.target));
  // Asked for at once, so that they connect in parallel.
  for (const auto& channel : channels_) channel->GetState(/*try_to_connect=*/true);
  const auto deadline = std::chrono::system_clock::now() + seconds(10);
  for (const auto& channel : channels_) {
    if (!channel->WaitForConnected(deadline)) return false;
  }
  progress << "connected " << channels_.size() << " clients to " << options_.target << std::endl;
  return true;
}

DemoSummary DemoClients::Run(std::ostream& progress) {
  Tally tally;
  std::vector<std::thread> clients;
  for (size_t client = 0; client < channels_.size(); ++client) {
    clients.emplace_back([this, client, &tally] {
      DemoCalls calls(channels_[client]);
      for (int rpc = 0; rpc < options_.rpcs_per_connection; ++rpc) {
        const std::string text = "client " + std::to_string(client) + " rpc " + std::to_string(rpc);
        tally.Add(calls.Call(rpc % DemoCalls::kMethods, text));
      }
    });
  }

  const int64_t total = int64_t{options_.rpcs_per_connection} * options_.connections;
  int64_t done = 0;
  while (done < total) {
    done = tally.WaitFor(total, milliseconds(500));
    progress << "RPCs " << done << " of " << total << std::endl;
  }
  for (std::thread& client : clients) client.join();

  DemoSummary summary = tally.summary();
  summary.connections =
      static_cast<int>(std::count_if(channels_.begin(), channels_.end(), [](const auto& channel) {
        return channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
      }));
  return summary;
}

int RunDemoClients(const DemoClientsOptions& options) {
  const bool compare = !options.metrics_url.empty();
  std::string why;
  ProxyFigures before;
  if (compare) {
    const std::optional<ProxyFigures> figures = ReadProxyFigures(options.metrics_url, &why);
    if (!figures) return Fail("cannot read the metrics at " + options.metrics_url + ": " + why);
    before = *figures;
  }

  DemoClients clients(options);
  if (!clients.Connect(std::cout)) {
    return Fail("cannot open " + std::to_string(options.connections) + " connections to " +
                options.target);
  }
  const DemoSummary summary = clients.Run(std::cout);
  PrintClients(summary);
  bool agree = true;
  if (compare) {
    const std::optional<ProxyFigures> proxy =
        SettledFigures(options.metrics_url, before, summary, options.connections, &why);
    if (!proxy) return Fail("cannot read the metrics at " + options.metrics_url + ": " + why);
    PrintProxy(*proxy, options.metrics_url);
    agree = Agree(*proxy, summary, options.connections);
  }

  if (summary.failures > 0) return Fail("an RPC failed: " + summary.first_failure);
  if (summary.connections != options.connections) return Fail("a connection was lost");
  if (!agree) return Fail("lanekeeper's numbers are not the clients' numbers");
  std::cout.flush();
  return 0;
}

}  // namespace lanekeeper
