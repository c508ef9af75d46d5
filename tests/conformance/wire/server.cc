#include "tests/conformance/wire/server.h"

#include <algorithm>
#include <set>

namespace lanekeeper::testing::wire {

Server::Server(Manners manners)
    : manners_(std::move(manners)),
      listening_(Socket::Listen()),
      accepting_([this] { Accept(); }) {}

Server::~Server() {
  listening_.ShutDown();
  accepting_.join();
  // Connections start scripts: only when none of them reads any more are there no more to join.
  for (auto& connection : connections_) connection->Close();
  for (Served& served : served_) served.script.join();
}

void Server::Accept() {
  for (;;) {
    Socket socket = listening_.Accept();
    if (!socket.valid()) return;
    auto connection = std::make_unique<Connection>(
        std::move(socket), manners_, [this](std::shared_ptr<Stream> s) { Serve(std::move(s)); });
    std::lock_guard lock(mutex_);
    connections_.push_back(std::move(connection));
  }
}

void Server::On(const std::string& path, Script script) {
  std::lock_guard lock(mutex_);
  scripts_[path] = std::move(script);
}

// Called with the connection's lock held: the order is connection, then server.
void Server::Serve(std::shared_ptr<Stream> stream) {
  std::lock_guard lock(mutex_);
  Served& served = served_.emplace_back();
  for (const std::string& path : ValuesAtStart(stream->events_, ":path")) served.path = path;
  served.stream = std::move(stream);
  const auto found = scripts_.find(served.path);
  Script script = found != scripts_.end() ? found->second : [](Stream& rpc) {
    rpc.LastHeaders(TrailersOnly("12"));
  };
  served.script = std::thread([this, &served, script = std::move(script)] {
    script(*served.stream);
    std::lock_guard returned_lock(mutex_);
    served.returned = true;
    changed_.notify_all();
  });
  changed_.notify_all();
}

std::shared_ptr<Stream> Server::AwaitServed(const std::string& path, size_t nth) {
  std::shared_ptr<Stream> stream;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] {
    size_t skip = nth;
    for (const Served& served : served_) {
      if (served.path != path || skip-- > 0) continue;
      if (served.returned) stream = served.stream;
      break;
    }
    return stream != nullptr;
  });
  return stream;
}

size_t Server::arrived(const std::string& path) const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(
      served_.begin(), served_.end(), [&](const Served& served) { return served.path == path; }));
}

size_t Server::connections_used() const {
  std::lock_guard lock(mutex_);
  std::set<const Connection*> used;
  for (const Served& served : served_) used.insert(&served.stream->connection());
  return used.size();
}

size_t Server::open_streams_peak() const {
  std::vector<const Connection*> connections;
  {
    std::lock_guard lock(mutex_);
    for (const auto& connection : connections_) connections.push_back(connection.get());
  }
  size_t peak = 0;
  for (const Connection* one : connections) peak = std::max(peak, one->open_streams_peak());
  return peak;
}

}  // namespace lanekeeper::testing::wire
