// The services of protos/demo: Echo, and RouteGuide over the map of places.h. Stateless; gRPC calls
// them from many threads at once.
#pragma once

#include <grpcpp/grpcpp.h>

#include "protos/demo/echo.grpc.pb.h"
#include "protos/demo/route_guide.grpc.pb.h"

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

class RouteGuideService final : public demo::RouteGuide::Service {
 public:
  grpc::Status GetFeature(grpc::ServerContext* context, const demo::Point* point,
                          demo::Feature* feature) override;
  grpc::Status ListFeatures(grpc::ServerContext* context, const demo::Area* area,
                            grpc::ServerWriter<demo::Feature>* writer) override;
  grpc::Status RecordRoute(grpc::ServerContext* context, grpc::ServerReader<demo::Point>* reader,
                           demo::RouteSummary* summary) override;
  grpc::Status RouteChat(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<demo::RouteNote, demo::RouteNote>* stream) override;
};

}  // namespace lanekeeper
