// The RouteGuide service of protos/demo/route_guide.proto, over the map of places.h.
// Stateless; gRPC calls it from many threads at once.
#pragma once

#include <grpcpp/grpcpp.h>

#include "protos/demo/route_guide.grpc.pb.h"

namespace lanekeeper {

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
