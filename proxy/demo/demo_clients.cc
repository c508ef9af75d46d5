#include <grpcpp/grpcpp.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/demo/demo.h"
#include "proxy/demo/demo_calls.h"

namespace lanekeeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// What the clients saw. Counts messages as the application does: sent and received by clients.
struct DemoSummary {
  int connections = 0;  // open when the last RPC had ended
  int64_t rpcs = 0;
  int64_t messages_sent = 0;
  int64_t messages_received = 0;
  int64_t failures = 0;
  std::string first_failure;
};

// What lanekeeper says about itself.
struct ProxyFigures {
  int64_t downstream_connections = 0;
  int64_t upstream_connections = 0;
  int64_t rpcs = 0;
  int64_t messages_to_upstream = 0;
  int64_t messages_to_downstream = 0;
  int64_t contract_violations = 0;
  bool operator==(const ProxyFigures&) const = default;
};

constexpr std::chrono::seconds kScrapeTimeout{5};

// The value of a sample line of the family that carries the label; 0 for every other line.
double SampleValue(std::string_view line, std::string_view family, std::string_view label) {
  if (line.substr(0, family.size()) != family) return 0;
  std::string_view rest = line.substr(family.size());
  std::string_view labels;
  if (!rest.empty() && rest.front() == '{') {
    // A label's value may hold a brace, the sample's value cannot: so the last one ends the labels.
    const size_t end = rest.rfind('}');
    if (end == std::string_view::npos) return 0;
    labels = rest.substr(0, end);
    rest = rest.substr(end + 1);
  }
  // Another family that begins with the same letters goes on here.
  if (rest.empty() || rest.front() != ' ') return 0;
  if (!label.empty() && labels.find(label) == std::string_view::npos) return 0;
  return std::strtod(std::string(rest).c_str(), nullptr);
}

// Sum of the samples of one family in the Prometheus text format, of those that carry `label`
// (written as it appears, `direction="to_upstream"`), or of all when it is empty.
double SumOfSamples(std::string_view text, std::string_view family, std::string_view label) {
  double sum = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    sum += SampleValue(text.substr(0, end), family, label);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return sum;
}

[[noreturn]] void CannotRead(const std::string& host_port, const std::string& why) {
  throw std::runtime_error("cannot read the metrics at " + host_port + ": " + why);
}

// GETs http://HOST:PORT/metrics; throws when there is no 200 answer.
ProxyFigures ReadProxyFigures(const std::string& host_port) {
  const size_t colon = host_port.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(host_port.c_str() + colon + 1);
  if (port <= 0) CannotRead(host_port, "'" + host_port + "' is not HOST:PORT");
  httplib::Client client(host_port.substr(0, colon), port);
  client.set_connection_timeout(kScrapeTimeout);
  client.set_read_timeout(kScrapeTimeout);
  const httplib::Result result = client.Get("/metrics");
  if (!result) CannotRead(host_port, httplib::to_string(result.error()));
  if (result->status != 200) {
    CannotRead(host_port, "/metrics answered " + std::to_string(result->status));
  }
  const auto sum = [&result](std::string_view family, std::string_view label = "") {
    return static_cast<int64_t>(std::llround(SumOfSamples(result->body, family, label)));
  };
  return {
      sum("lanekeeper_downstream_connections"),
      sum("lanekeeper_upstream_connections"),
      sum("grpc_server_started_total"),
      sum("lanekeeper_stream_messages_total", "direction=\"to_upstream\""),
      sum("lanekeeper_stream_messages_total", "direction=\"to_downstream\""),
      sum("lanekeeper_stream_contract_violations_total"),
  };
}

using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

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

// What the proxy must have counted, if the clients are right.
ProxyFigures Expected(const DemoSummary& clients, int connections) {
  return {.downstream_connections = connections,
          .upstream_connections = 1,
          .rpcs = clients.rpcs,
          .messages_to_upstream = clients.messages_sent,
          .messages_to_downstream = clients.messages_received,
          .contract_violations = 0};
}

// The proxy settles an RPC's numbers a moment after the client has its status: looks again until
// they are as expected, for a few seconds.
ProxyFigures SettledFigures(const std::string& metrics_url, const ProxyFigures& before,
                            const ProxyFigures& expected) {
  const auto give_up = steady_clock::now() + seconds(5);
  while (true) {
    const ProxyFigures ours = Since(before, ReadProxyFigures(metrics_url));
    if (ours == expected || steady_clock::now() > give_up) return ours;
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

// Opens every connection before the first RPC; throws when one cannot be opened in 10 seconds.
Channels Connect(const DemoClientsOptions& options) {
  Channels channels;
  for (int i = 0; i < options.connections; ++i) channels.push_back(OpenChannel(options.target));
  // Asked for at once, so that they connect in parallel.
  for (const auto& channel : channels) channel->GetState(/*try_to_connect=*/true);
  const auto deadline = std::chrono::system_clock::now() + seconds(10);
  for (const auto& channel : channels) {
    if (channel->WaitForConnected(deadline)) continue;
    throw std::runtime_error("cannot open " + std::to_string(options.connections) +
                             " connections to " + options.target);
  }
  std::cout << "connected " << channels.size() << " clients to " << options.target << std::endl;
  return channels;
}

// Makes every RPC of every connection, all connections in parallel, each with a thread.
DemoSummary CallAll(const DemoClientsOptions& options, const Channels& channels) {
  Tally tally;
  std::vector<std::thread> clients;
  for (size_t client = 0; client < channels.size(); ++client) {
    clients.emplace_back([&, client] {
      const DemoStubs stubs(channels[client]);
      for (int rpc = 0; rpc < options.rpcs_per_connection; ++rpc) {
        const std::string text = "client " + std::to_string(client) + " rpc " + std::to_string(rpc);
        tally.Add(CallDemo(stubs, rpc % kDemoMethods, text));
      }
    });
  }

  const int64_t total = int64_t{options.rpcs_per_connection} * options.connections;
  int64_t done = 0;
  while (done < total) {
    done = tally.WaitFor(total, milliseconds(500));
    std::cout << "RPCs " << done << " of " << total << std::endl;
  }
  for (std::thread& client : clients) client.join();

  DemoSummary summary = tally.summary();
  summary.connections =
      static_cast<int>(std::count_if(channels.begin(), channels.end(), [](const auto& channel) {
        return channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
      }));
  return summary;
}

// Throws what makes it fail.
void Run(const DemoClientsOptions& options) {
  const bool compare = !options.metrics_url.empty();
  const ProxyFigures before = compare ? ReadProxyFigures(options.metrics_url) : ProxyFigures{};
  const Channels channels = Connect(options);
  const DemoSummary summary = CallAll(options, channels);
  PrintClients(summary);
  bool agree = true;
  if (compare) {
    const ProxyFigures expected = Expected(summary, options.connections);
    const ProxyFigures proxy = SettledFigures(options.metrics_url, before, expected);
    PrintProxy(proxy, options.metrics_url);
    agree = proxy == expected;
  }
  if (summary.failures > 0) throw std::runtime_error("an RPC failed: " + summary.first_failure);
  if (summary.connections != options.connections) throw std::runtime_error("a connection was lost");
  if (!agree) throw std::runtime_error("lanekeeper's numbers are not the clients' numbers");
}

}  // namespace

int RunDemoClients(const DemoClientsOptions& options) {
  try {
    Run(options);
  } catch (const std::runtime_error& error) {
    std::cout.flush();
    std::cerr << "demo clients: " << error.what() << "\n";
    return 1;
  }
  std::cout.flush();
  return 0;
}

}  // namespace lanekeeper
