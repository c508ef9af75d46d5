// The server of gRPC's interoperability cases (doc/interop-test-descriptions.md): every feature
// that a case here asks for, written from that description.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "grpc/testing/test.grpc.pb.h"
#include "tests/conformance/interop/load_report_service.h"

namespace lanekeeper::testing {

// Called from gRPC's threads.
class TestService final : public grpc::testing::TestService::Service {
 public:
  explicit TestService(LoadReportService& load_reports) : load_reports_(load_reports) {}

  grpc::Status EmptyCall(grpc::ServerContext* context, const grpc::testing::Empty* request,
                         grpc::testing::Empty* response) override;
  grpc::Status UnaryCall(grpc::ServerContext* context, const grpc::testing::SimpleRequest* request,
                         grpc::testing::SimpleResponse* response) override;
  grpc::Status StreamingOutputCall(
      grpc::ServerContext* context, const grpc::testing::StreamingOutputCallRequest* request,
      grpc::ServerWriter<grpc::testing::StreamingOutputCallResponse>* writer) override;
  grpc::Status StreamingInputCall(
      grpc::ServerContext* context,
      grpc::ServerReader<grpc::testing::StreamingInputCallRequest>* reader,
      grpc::testing::StreamingInputCallResponse* response) override;
  grpc::Status FullDuplexCall(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<grpc::testing::StreamingOutputCallResponse,
                               grpc::testing::StreamingOutputCallRequest>* stream) override;

  // How many streams ended by a cancellation or a passed deadline.
  int cancelled_streams() const { return cancelled_streams_; }
  // How many distinct connections RPCs came over.
  size_t connections() const;

 private:
  void OnArrival(const grpc::ServerContext& context);

  LoadReportService& load_reports_;
  std::atomic<int> cancelled_streams_{0};
  mutable std::mutex mutex_;
  std::set<std::string> peers_;
};

// The services on a port of 127.0.0.1.
class InteropServer {
 public:
  InteropServer();
  ~InteropServer();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const TestService& service() const { return service_; }

 private:
  LoadReportService load_reports_;
  TestService service_{load_reports_};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace lanekeeper::testing
