#include "proxy/demo/echo_service.h"

namespace lanekeeper {
namespace {

constexpr int kMostCopies = 100000;

}  // namespace

grpc::Status EchoService::Unary(grpc::ServerContext*, const demo::EchoRequest* request,
                                demo::EchoResponse* response) {
  response->set_text(request->text());
  return grpc::Status::OK;
}

grpc::Status EchoService::ServerStream(grpc::ServerContext*, const demo::EchoRequest* request,
                                       grpc::ServerWriter<demo::EchoResponse>* writer) {
  if (request->copies() < 0 || request->copies() > kMostCopies) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "copies must be between 0 and " + std::to_string(kMostCopies)};
  }
  demo::EchoResponse response;
  response.set_text(request->text());
  for (int number = 0; number < request->copies(); ++number) {
    response.set_number(number);
    // The client is gone: its status is already decided, ours no longer counts.
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

grpc::Status EchoService::ClientStream(grpc::ServerContext*,
                                       grpc::ServerReader<demo::EchoRequest>* reader,
                                       demo::EchoResponse* response) {
  // One answer must hold it all, so an endless stream has to be refused somewhere.
  constexpr size_t kLongestAnswer = size_t{1} << 20;
  std::string joined;
  int count = 0;
  demo::EchoRequest request;
  while (reader->Read(&request)) {
    if (count > 0) joined += ' ';
    joined += request.text();
    ++count;
    if (joined.size() > kLongestAnswer) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the joined text exceeds 1 MiB"};
    }
  }
  response->set_text(std::move(joined));
  response->set_number(count);
  return grpc::Status::OK;
}

grpc::Status EchoService::BidiStream(
    grpc::ServerContext*, grpc::ServerReaderWriter<demo::EchoResponse, demo::EchoRequest>* stream) {
  demo::EchoRequest request;
  demo::EchoResponse response;
  for (int number = 0; stream->Read(&request); ++number) {
    response.set_text(request.text());
    response.set_number(number);
    if (!stream->Write(response)) return grpc::Status::CANCELLED;
  }
  return grpc::Status::OK;
}

}  // namespace lanekeeper
