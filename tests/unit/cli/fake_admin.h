// An admin API on a real port, which answers what the test tells it and remembers what it was
// asked. The test's thread sets it up and asks it; gRPC's threads call it. It ends with the test.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protos/lanekeeper/admin/v1/admin.grpc.pb.h"

namespace lanekeeper {

class FakeAdmin final : public admin::v1::Admin::Service {
 public:
  FakeAdmin();
  ~FakeAdmin() override;

  const std::string& address() const { return address_; }
  // No longer reachable.
  void Stop();

  // Set before the first call.
  std::vector<admin::v1::Stream> streams;  // with ids that ascend
  admin::v1::Totals totals;
  std::vector<admin::v1::WatchStreamsResponse> looks;  // what a watch sends at once
  grpc::Status watch_ends;                             // after the looks, unless...
  bool watch_stays = false;                            // ... it goes on until it is cancelled
  grpc::Status refusal;  // what every call but a watch gets, unless it is OK
  bool ends_when_drained = false;
  admin::v1::ReloadResponse reload_answer;

  // What came, after the calls.
  std::vector<admin::v1::ListStreamsRequest> list_requests();
  std::vector<admin::v1::CancelStreamRequest> cancel_requests();
  std::vector<admin::v1::WatchStreamsRequest> watch_requests();
  std::vector<admin::v1::ReloadRequest> reload_requests();
  int drains();
  // Blocks until a watch has sent all its looks.
  void AwaitWatch();

  grpc::Status ListStreams(grpc::ServerContext*, const admin::v1::ListStreamsRequest* request,
                           admin::v1::ListStreamsResponse* answer) override;
  grpc::Status WatchStreams(grpc::ServerContext* context,
                            const admin::v1::WatchStreamsRequest* request,
                            grpc::ServerWriter<admin::v1::WatchStreamsResponse>* writer) override;
  grpc::Status GetStream(grpc::ServerContext*, const admin::v1::GetStreamRequest* request,
                         admin::v1::Stream* answer) override;
  grpc::Status CancelStream(grpc::ServerContext*, const admin::v1::CancelStreamRequest* request,
                            admin::v1::CancelStreamResponse* answer) override;
  grpc::Status Drain(grpc::ServerContext*, const admin::v1::DrainRequest*,
                     admin::v1::DrainResponse* answer) override;
  grpc::Status SetLogLevel(grpc::ServerContext*, const admin::v1::SetLogLevelRequest* request,
                           admin::v1::SetLogLevelResponse* answer) override;
  grpc::Status Reload(grpc::ServerContext*, const admin::v1::ReloadRequest* request,
                      admin::v1::ReloadResponse* answer) override;
  grpc::Status GetVersion(grpc::ServerContext*, const admin::v1::GetVersionRequest*,
                          admin::v1::GetVersionResponse* answer) override;

 private:
  const admin::v1::Stream* Find(uint64_t id) const;

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<admin::v1::ListStreamsRequest> list_requests_;
  std::vector<admin::v1::CancelStreamRequest> cancel_requests_;
  std::vector<admin::v1::WatchStreamsRequest> watch_requests_;
  std::vector<admin::v1::ReloadRequest> reload_requests_;
  int drains_ = 0;
  int versions_since_drain_ = 0;
  bool watched_ = false;
};

}  // namespace lanekeeper
