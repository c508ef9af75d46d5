#include "proxy/admin/grpc_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "protos/lanekeeper/admin/v1/admin.grpc.pb.h"

namespace lanekeeper {
namespace {

// Pollers, every watcher, and a few short calls; one call more is refused with RESOURCE_EXHAUSTED.
constexpr int kThreads = 20;
constexpr int kRequestBytesMax = 64 * 1024;
constexpr int kResponseBytesMax = 16 * 1024 * 1024;
constexpr std::pair<const char*, int> kArguments[] = {
    {GRPC_ARG_MAX_CONCURRENT_STREAMS, 32},  // on one connection
    {GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024},
    {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5000},
    // A client without calls can come back; one that does not answer pings has gone.
    {GRPC_ARG_MAX_CONNECTION_IDLE_MS, 60000},
    {GRPC_ARG_KEEPALIVE_TIME_MS, 20000},
    {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000},
    {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0},
    {GRPC_ARG_ENABLE_CHANNELZ, 0},
};

void SetArguments(grpc::ServerBuilder& builder) {
  builder.SetResourceQuota(grpc::ResourceQuota("admin").SetMaxThreads(kThreads));
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  builder.SetMaxReceiveMessageSize(kRequestBytesMax);
  builder.SetMaxSendMessageSize(kResponseBytesMax);
  for (const auto& [name, value] : kArguments) builder.AddChannelArgument(name, value);
}

}  // namespace

class AdminGrpcServer::Service final : public adminpb::Admin::Service {
 public:
  Service(AdminCalls& calls, Watchers& watchers) : calls_(calls), watchers_(watchers) {}

  grpc::Status ListStreams(grpc::ServerContext*, const adminpb::ListStreamsRequest* request,
                           adminpb::ListStreamsResponse* response) override {
    return calls_.ListStreams(*request, response);
  }

  grpc::Status WatchStreams(grpc::ServerContext* context,
                            const adminpb::WatchStreamsRequest* request,
                            grpc::ServerWriter<adminpb::WatchStreamsResponse>* writer) override {
    WatchPlan plan;
    if (grpc::Status status = PlanWatch(*request, &plan); !status.ok()) return status;
    const Watchers::Slot slot = watchers_.Enter();
    if (!slot) return watchers_.Refusal();
    RunWatch(
        calls_.control(), plan, watchers_,
        {.gone = [context] { return context->IsCancelled(); },
         .send = [writer](
                     const adminpb::WatchStreamsResponse& found) { return writer->Write(found); }});
    // A peer that has gone does not read this.
    return {grpc::StatusCode::UNAVAILABLE, "lanekeeper is ending"};
  }

  grpc::Status GetStream(grpc::ServerContext*, const adminpb::GetStreamRequest* request,
                         adminpb::Stream* stream) override {
    return calls_.GetStream(*request, stream);
  }

  grpc::Status CancelStream(grpc::ServerContext* context,
                            const adminpb::CancelStreamRequest* request,
                            adminpb::CancelStreamResponse* response) override {
    return calls_.CancelStream(*request, context->peer(), response);
  }

  grpc::Status Drain(grpc::ServerContext* context, const adminpb::DrainRequest*,
                     adminpb::DrainResponse* response) override {
    return calls_.Drain(context->peer(), response);
  }

  grpc::Status SetLogLevel(grpc::ServerContext* context, const adminpb::SetLogLevelRequest* request,
                           adminpb::SetLogLevelResponse* response) override {
    return calls_.SetLogLevel(*request, context->peer(), response);
  }

  grpc::Status Reload(grpc::ServerContext* context, const adminpb::ReloadRequest* request,
                      adminpb::ReloadResponse* response) override {
    return calls_.Reload(*request, context->peer(), response);
  }

  grpc::Status GetConfig(grpc::ServerContext*, const adminpb::GetConfigRequest*,
                         adminpb::GetConfigResponse* response) override {
    return calls_.GetConfig(response);
  }

  grpc::Status GetVersion(grpc::ServerContext*, const adminpb::GetVersionRequest*,
                          adminpb::GetVersionResponse* response) override {
    return calls_.GetVersion(response);
  }

 private:
  AdminCalls& calls_;
  Watchers& watchers_;
};

std::string GrpcVersion() { return grpc::Version(); }

AdminGrpcServer::AdminGrpcServer(AdminCalls& calls, Watchers& watchers)
    : service_(std::make_unique<Service>(calls, watchers)) {
  grpc::ServerBuilder builder;
  SetArguments(builder);
  builder.RegisterService(service_.get());
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("admin: gRPC could not start its server");
}

AdminGrpcServer::~AdminGrpcServer() { Shutdown(std::chrono::system_clock::now()); }

void AdminGrpcServer::Serve(Connection connection) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = -1;
  parameters.fd = connection.Release();
  connections_->HandleNewConnection(&parameters);
}

void AdminGrpcServer::Shutdown(std::chrono::system_clock::time_point cancel_at) {
  server_->Shutdown(cancel_at);
}

}  // namespace lanekeeper
