// Load reports (ORCA). gRPC C++ has no public API for a client to see one, so the cases look at
// what carries them: a trailer of each RPC, and a stream of its own.
#include <google/protobuf/util/message_differencer.h>

#include "tests/conformance/interop/interop_test.h"
#include "tests/conformance/interop/wire_tap.h"

namespace lanekeeper::testing {
namespace {

using google::protobuf::util::MessageDifferencer;
using grpc::testing::TestOrcaReport;
using xds::data::orca::v3::OrcaLoadReport;

TestOrcaReport Report(double cpu, double memory, double util) {
  TestOrcaReport report;
  report.set_cpu_utilization(cpu);
  report.set_memory_utilization(memory);
  (*report.mutable_utilization())["util"] = util;
  return report;
}

// The client library shows the trailer to nobody, so a tap looks for it. Behind lanekeeper it is
// Huffman-coded; that it passes there, byte for byte, is shown by WireMetadata (the case "load
// report in trailers").
TEST_P(InteropTest, orca_per_rpc) {
  WireTap tap(route_.target());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel =
      grpc::CreateCustomChannel(tap.address(), grpc::InsecureChannelCredentials(), arguments);
  grpc::testing::SimpleRequest request;
  *request.mutable_orca_per_query_report() = Report(0.8210, 0.5847, 0.30499);
  (*request.mutable_orca_per_query_report()->mutable_request_cost())["cost"] = 3456.32;
  grpc::ClientContext context;
  context.AddMetadata(kEchoTrailingKey, "report");
  grpc::testing::SimpleResponse response;
  ExpectOk(grpc::testing::TestService::NewStub(channel)->UnaryCall(&context, request, &response));

  if (!direct()) return;
  const std::string bytes = tap.to_downstream();
  EXPECT_NE(bytes.find(kEchoTrailingKey), std::string::npos) << "the tap sees no trailers";
  EXPECT_NE(bytes.find(kLoadReportKey), std::string::npos);
}

TEST_P(InteropTest, orca_oob) {
  grpc::ClientContext reports_context;
  xds::service::orca::v3::OrcaLoadReportRequest interval;
  interval.mutable_report_interval()->set_nanos(5'000'000);
  const auto reports = xds::service::orca::v3::OpenRcaService::NewStub(channel_)->StreamCoreMetrics(
      &reports_context, interval);
  // Whether such a report comes in time.
  const auto await_report = [&](const TestOrcaReport& expected) {
    OrcaLoadReport report;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline && reports->Read(&report)) {
      if (MessageDifferencer::Equals(report, ToLoadReport(expected))) return true;
    }
    return false;
  };

  grpc::ClientContext context;
  const auto stream = stub_->FullDuplexCall(&context);
  for (const TestOrcaReport& report :
       {Report(0.8210, 0.5847, 0.30499), Report(0.29309, 0.2, 100.2039)}) {
    grpc::testing::StreamingOutputCallRequest request = StreamRequest(0, {1});
    *request.mutable_orca_oob_report() = report;
    ASSERT_TRUE(stream->Write(request));
    grpc::testing::StreamingOutputCallResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_TRUE(await_report(report));
  }
  ASSERT_TRUE(stream->WritesDone());
  ExpectOk(stream->Finish());
  reports_context.TryCancel();
  EXPECT_EQ(reports->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace lanekeeper::testing
