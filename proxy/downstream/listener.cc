#include "proxy/downstream/listener.h"

#include <grpcpp/security/server_credentials.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "proxy/downstream/goaway.h"
#include "proxy/threads/held_sockets.h"

namespace lanekeeper {
namespace {

// Core answers metadata above its own limit by closing the connection, which hurts the neighbours
// on it; ours (limits.metadata_size) fails one RPC. So core's is well above ours.
constexpr int64_t kConnectionMetadataFactor = 4;
constexpr int64_t kConnectionMetadataBytesMin = 64 * 1024;

// How long downstreams get to take what is held for them, and how often they are offered it.
constexpr auto kHeldPatience = std::chrono::milliseconds(500);
constexpr auto kHeldStep = std::chrono::milliseconds(5);

void SetArguments(grpc::ServerBuilder& builder, const LimitsConfig& limits) {
  // limits.message_size is checked for each message by the pumps, which know what to answer and
  // count.
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(
      GRPC_ARG_MAX_METADATA_SIZE,
      static_cast<int>(std::max(kConnectionMetadataBytesMin,
                                limits.metadata_size_bytes * kConnectionMetadataFactor)));
  // Messages cross as they are, compressed or not, and so do the headers that tell how.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // The downstream is our own pod: let it ping as it likes rather than cut it off.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

}  // namespace

Listener::Listener(const std::vector<ListenConfig>& listen) {
  std::vector<ListeningSocket> sockets;
  std::string problems;
  for (const ListenConfig& one : listen) {
    std::string why;
    try {
      const std::optional<ListenAddress> address = ParseListenAddress(one.address, &why);
      if (!address) throw std::runtime_error("cannot listen on " + one.address + ": " + why);
      for (ListeningSocket& socket : ListeningSocket::Open(*address)) {
        sockets.push_back(std::move(socket));
      }
    } catch (const std::runtime_error& error) {
      problems += (problems.empty() ? "" : "\n") + std::string(error.what());
    }
  }
  if (!problems.empty()) throw std::runtime_error(problems);
  for (const ListeningSocket& socket : sockets) {
    addresses_.push_back(socket.name());
    if (!socket.is_unix()) ports_.push_back(socket.port());
  }
  accept_loop_ = std::make_unique<AcceptLoop>(std::move(sockets));
}

Listener::~Listener() = default;

void Listener::Start(const LimitsConfig& limits, RpcThreads& threads) {
  grpc::ServerBuilder builder;
  SetArguments(builder, limits);
  builder.RegisterAsyncGenericService(&service_);
  threads.AddQueues(builder);
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("gRPC could not start its server");
  threads.Start(server_->c_server());
  accept_loop_->Start([this](int listener_fd, int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listener_fd;
    connection.fd = fd;
    connections_->HandleNewConnection(&connection);
  });
}

void Listener::StopAccepting() {
  accept_loop_->StopAccepting();
  if (server_ == nullptr || goaway_sent_) return;
  goaway_sent_ = true;
  SendGoaways(server_->c_server());
}

void Listener::Shutdown() {
  // The status of an RPC that has ended may not have left yet.
  const auto until = std::chrono::steady_clock::now() + kHeldPatience;
  while (!SendAllHeld() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kHeldStep);
  }
  // Core's shutdown waits for every connection, also for that of a client that has stopped
  // answering.
  accept_loop_->CutConnections();
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
}

}  // namespace lanekeeper
