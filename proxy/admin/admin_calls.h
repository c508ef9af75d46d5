// The calls of the admin API, whichever protocol they come by: checks what is asked, asks or tells
// the Control, and says who has changed what in the log. Owns nothing. Any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "proxy/admin/control.h"
#include "proxy/admin/proto_conversion.h"

namespace lanekeeper {

class AdminCalls {
 public:
  explicit AdminCalls(Control& control) : control_(control) {}

  grpc::Status ListStreams(const adminpb::ListStreamsRequest& request,
                           adminpb::ListStreamsResponse* response) const;
  grpc::Status GetStream(const adminpb::GetStreamRequest& request, adminpb::Stream* stream) const;
  grpc::Status GetConfig(adminpb::GetConfigResponse* response) const;
  grpc::Status GetVersion(adminpb::GetVersionResponse* response) const;

  // What changes something: PERMISSION_DENIED where admin.read_only is true. `who` asks is an
  // address, for the log.
  grpc::Status CancelStream(const adminpb::CancelStreamRequest& request, const std::string& who,
                            adminpb::CancelStreamResponse* response);
  grpc::Status Drain(const std::string& who, adminpb::DrainResponse* response);
  // A dry run changes nothing, and is never denied.
  grpc::Status Reload(const adminpb::ReloadRequest& request, const std::string& who,
                      adminpb::ReloadResponse* response);
  grpc::Status SetLogLevel(const adminpb::SetLogLevelRequest& request, const std::string& who,
                           adminpb::SetLogLevelResponse* response);

  Control& control() const { return control_; }

 private:
  grpc::Status MayChange() const;

  Control& control_;
};

}  // namespace lanekeeper
