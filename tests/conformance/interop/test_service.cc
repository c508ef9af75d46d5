#include "tests/conformance/interop/test_service.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <stdexcept>

#include "tests/conformance/interop/message_flags.h"
#include "tests/conformance/interop/payloads.h"

namespace lanekeeper::testing {
namespace {

using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

// The status that fails a request whose compression is not what it says of itself.
template <class Request>
grpc::Status JudgeCompression(grpc::ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed()) return grpc::Status::OK;
  const bool expected = request.expect_compressed().value();
  if (LastMessageWasCompressed(context.c_call()) == expected) return grpc::Status::OK;
  return {grpc::StatusCode::INVALID_ARGUMENT,
          expected ? "the request is not compressed" : "the request is compressed"};
}

template <class Request>
std::optional<grpc::Status> StatusAskedFor(const Request& request) {
  if (!request.has_response_status()) return {};
  return grpc::Status(static_cast<grpc::StatusCode>(request.response_status().code()),
                      request.response_status().message());
}

void EchoMetadata(grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  if (const auto it = metadata.find(kEchoInitialKey); it != metadata.end()) {
    context.AddInitialMetadata(kEchoInitialKey, {it->second.data(), it->second.size()});
  }
  if (const auto it = metadata.find(kEchoTrailingKey); it != metadata.end()) {
    context.AddTrailingMetadata(kEchoTrailingKey, {it->second.data(), it->second.size()});
  }
}

// A level, not an algorithm: which one it stands for depends on what the client says it accepts.
void CompressResponses(grpc::ServerContext& context, bool compress) {
  context.set_compression_level(compress ? GRPC_COMPRESS_LEVEL_HIGH : GRPC_COMPRESS_LEVEL_NONE);
}

// One response for each of the request's parameters; false when the call is over.
template <class Writer>
bool WriteResponses(const StreamingOutputCallRequest& request, Writer& writer) {
  for (const auto& parameters : request.response_parameters()) {
    StreamingOutputCallResponse response;
    *response.mutable_payload() = Zeros(parameters.size());
    grpc::WriteOptions options;
    if (parameters.has_compressed() && !parameters.compressed().value()) {
      options.set_no_compression();
    }
    if (!writer.Write(response, options)) return false;
  }
  return true;
}

bool AsksForCompression(const StreamingOutputCallRequest& request) {
  for (const auto& parameters : request.response_parameters()) {
    if (parameters.compressed().value()) return true;
  }
  return false;
}

}  // namespace

void TestService::OnArrival(const grpc::ServerContext& context) {
  std::lock_guard lock(mutex_);
  peers_.insert(context.peer());
}

size_t TestService::connections() const {
  std::lock_guard lock(mutex_);
  return peers_.size();
}

grpc::Status TestService::EmptyCall(grpc::ServerContext* context, const grpc::testing::Empty*,
                                    grpc::testing::Empty*) {
  OnArrival(*context);
  EchoMetadata(*context);
  return grpc::Status::OK;
}

grpc::Status TestService::UnaryCall(grpc::ServerContext* context,
                                    const grpc::testing::SimpleRequest* request,
                                    grpc::testing::SimpleResponse* response) {
  OnArrival(*context);
  EchoMetadata(*context);
  if (const auto status = JudgeCompression(*context, *request); !status.ok()) return status;
  if (request->has_response_compressed()) {
    CompressResponses(*context, request->response_compressed().value());
  }
  if (request->has_orca_per_query_report()) {
    context->AddTrailingMetadata(
        kLoadReportKey, ToLoadReport(request->orca_per_query_report()).SerializeAsString());
  }
  if (const auto status = StatusAskedFor(*request)) return *status;
  *response->mutable_payload() = Zeros(request->response_size());
  return grpc::Status::OK;
}

grpc::Status TestService::StreamingOutputCall(
    grpc::ServerContext* context, const StreamingOutputCallRequest* request,
    grpc::ServerWriter<StreamingOutputCallResponse>* writer) {
  OnArrival(*context);
  EchoMetadata(*context);
  if (AsksForCompression(*request)) CompressResponses(*context, true);
  if (!WriteResponses(*request, *writer)) return grpc::Status::CANCELLED;
  return StatusAskedFor(*request).value_or(grpc::Status::OK);
}

grpc::Status TestService::StreamingInputCall(
    grpc::ServerContext* context,
    grpc::ServerReader<grpc::testing::StreamingInputCallRequest>* reader,
    grpc::testing::StreamingInputCallResponse* response) {
  OnArrival(*context);
  EchoMetadata(*context);
  size_t bytes = 0;
  grpc::testing::StreamingInputCallRequest request;
  while (reader->Read(&request)) {
    if (const auto status = JudgeCompression(*context, request); !status.ok()) return status;
    bytes += request.payload().body().size();
  }
  if (context->IsCancelled()) ++cancelled_streams_;
  response->set_aggregated_payload_size(static_cast<int>(bytes));
  return grpc::Status::OK;
}

grpc::Status TestService::FullDuplexCall(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) {
  OnArrival(*context);
  EchoMetadata(*context);
  StreamingOutputCallRequest request;
  while (stream->Read(&request)) {
    if (const auto status = StatusAskedFor(request)) return *status;
    if (request.has_orca_oob_report()) load_reports_.Set(ToLoadReport(request.orca_oob_report()));
    if (!WriteResponses(request, *stream)) break;
  }
  if (context->IsCancelled()) ++cancelled_streams_;
  return grpc::Status::OK;
}

InteropServer::InteropServer() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&service_);
  builder.RegisterService(&load_reports_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("the interop server cannot listen");
}

InteropServer::~InteropServer() { server_->Shutdown(std::chrono::system_clock::now()); }

}  // namespace lanekeeper::testing
