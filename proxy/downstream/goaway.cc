#include "proxy/downstream/goaway.h"

#include "proxy/rpc/core_symbols.h"
#include "proxy/threads/core_context.h"

namespace lanekeeper {

void SendGoaways(grpc_server* server) {
  CoreContext::Visit([&] { reinterpret_cast<grpc_core::Server*>(server)->SendGoaways(); });
}

}  // namespace lanekeeper
