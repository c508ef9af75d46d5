// The Echo service of protos/demo/echo.proto. Stateless; gRPC calls it from many threads at once.
#pragma once

#include <grpcpp/grpcpp.h>

#include "protos/demo/echo.grpc.pb.h"

namespace lanekeeper {

class EchoService final : public demo::Echo::Service {
 public:
  grpc::Status Unary(grpc::ServerContext* context, const demo::EchoRequest* request,
                     demo::EchoResponse* response) override;
  grpc::Status ServerStream(grpc::ServerContext* context, const demo::EchoRequest* request,
                            grpc::ServerWriter<demo::EchoResponse>* writer) override;
  grpc::Status ClientStream(grpc::ServerContext* context,
                            grpc::ServerReader<demo::EchoRequest>* reader,
                            demo::EchoResponse* response) override;
  grpc::Status BidiStream(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<demo::EchoResponse, demo::EchoRequest>* stream) override;
};

}  // namespace lanekeeper
