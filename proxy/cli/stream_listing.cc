#include "proxy/cli/stream_listing.h"

#include <algorithm>
#include <limits>

namespace lanekeeper {
namespace {

// As many as the daemon gives at once: for each page it looks at all of its streams.
constexpr uint64_t kPageSize = 10000;

}  // namespace

grpc::Status ForEachPage(AdminClient& client, const admin::v1::StreamFilter& filter,
                         std::optional<uint64_t> limit,
                         const std::function<bool(const admin::v1::ListStreamsResponse&)>& take) {
  uint64_t left = limit.value_or(std::numeric_limits<uint64_t>::max());
  admin::v1::ListStreamsRequest request;
  *request.mutable_filter() = filter;
  do {
    request.set_page_size(static_cast<uint32_t>(std::min(left, kPageSize)));
    admin::v1::ListStreamsResponse page;
    const grpc::Status status = client.Call(&AdminStub::ListStreams, request, &page);
    if (!status.ok()) return status;
    left -= std::min<uint64_t>(left, page.streams_size());
    if (!take(page)) break;
    request.set_page_token(page.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  return grpc::Status::OK;
}

}  // namespace lanekeeper
