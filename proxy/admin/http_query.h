// The query of a URL as a request of the admin API. Values only; any thread.
#pragma once

#include <grpcpp/support/status.h>
#include <httplib.h>

#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

// INVALID_ARGUMENT, with what was expected, for a parameter that means nothing, is not known or
// comes twice: leaving it out would show what was not asked for.
grpc::Status ParseQuery(const httplib::Params& params,
                        ::lanekeeper::admin::v1::ListStreamsRequest* request);
grpc::Status ParseQuery(const httplib::Params& params,
                        ::lanekeeper::admin::v1::WatchStreamsRequest* request);
// For paths that take no parameters.
grpc::Status ParseNoQuery(const httplib::Params& params);

}  // namespace lanekeeper
