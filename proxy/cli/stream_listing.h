// Open streams, page by page. Borrows the client; no state of its own; one thread.
#pragma once

#include <functional>
#include <optional>

#include "protos/lanekeeper/admin/v1/admin.pb.h"
#include "proxy/cli/admin_client.h"

namespace lanekeeper {

// Hands each page to `take`, until there are no more, `limit` streams have been seen, or `take`
// returns false.
grpc::Status ForEachPage(AdminClient& client, const admin::v1::StreamFilter& filter,
                         std::optional<uint64_t> limit,
                         const std::function<bool(const admin::v1::ListStreamsResponse&)>& take);

}  // namespace lanekeeper
