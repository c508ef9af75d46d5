#include "tests/conformance/interop/load_report_service.h"

#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <thread>

namespace lanekeeper::testing {

using xds::data::orca::v3::OrcaLoadReport;

OrcaLoadReport ToLoadReport(const grpc::testing::TestOrcaReport& report) {
  OrcaLoadReport result;
  result.set_cpu_utilization(report.cpu_utilization());
  result.set_mem_utilization(report.memory_utilization());
  *result.mutable_request_cost() = report.request_cost();
  *result.mutable_utilization() = report.utilization();
  return result;
}

void LoadReportService::Set(OrcaLoadReport report) {
  std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

grpc::Status LoadReportService::StreamCoreMetrics(
    grpc::ServerContext* context, const xds::service::orca::v3::OrcaLoadReportRequest* request,
    grpc::ServerWriter<OrcaLoadReport>* writer) {
  const std::chrono::nanoseconds interval(
      google::protobuf::util::TimeUtil::DurationToNanoseconds(request->report_interval()));
  while (!context->IsCancelled()) {
    OrcaLoadReport report;
    {
      std::lock_guard lock(mutex_);
      report = report_;
    }
    if (!writer->Write(report)) break;
    std::this_thread::sleep_for(interval);  // the interval is what the client asked for
  }
  return grpc::Status::CANCELLED;
}

}  // namespace lanekeeper::testing
