// Load reports out of band: a stream of what the server last set, at the interval that the client
// asks for. Called from any thread.
#pragma once

#include <mutex>
#include <string>

#include "grpc/testing/messages.pb.h"
#include "orca_service.grpc.pb.h"

namespace lanekeeper::testing {

// The trailer in which a server reports the load of one RPC.
inline constexpr char kLoadReportKey[] = "endpoint-load-metrics-bin";

xds::data::orca::v3::OrcaLoadReport ToLoadReport(const grpc::testing::TestOrcaReport& report);

class LoadReportService final : public xds::service::orca::v3::OpenRcaService::Service {
 public:
  void Set(xds::data::orca::v3::OrcaLoadReport report);

  grpc::Status StreamCoreMetrics(
      grpc::ServerContext* context, const xds::service::orca::v3::OrcaLoadReportRequest* request,
      grpc::ServerWriter<xds::data::orca::v3::OrcaLoadReport>* writer) override;

 private:
  std::mutex mutex_;
  xds::data::orca::v3::OrcaLoadReport report_;
};

}  // namespace lanekeeper::testing
