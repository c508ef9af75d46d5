#include "proxy/upstream/shared_channel.h"

#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpcpp/support/channel_arguments.h>

#include <climits>

namespace lanekeeper {
namespace {

// Above this, core drops the whole connection and every RPC on it, so it is far above what we let
// pass (limits.metadata_size is checked for each RPC by itself).
constexpr int kConnectionMetadataBytesMax = 8 * 1024 * 1024;
// A restarted upstream should be found again quickly: core's default backoff grows to two minutes.
constexpr int kReconnectBackoffInitialMs = 200;
constexpr int kReconnectBackoffMaxMs = 5000;
constexpr int kReconnectMinTimeoutMs = 5000;
// A name server that does not answer must not leave RPCs without deadlines waiting for two minutes.
constexpr int kDnsQueryTimeoutMs = 5000;

const char* ServiceConfig(LoadBalancing policy) {
  switch (policy) {
    case LoadBalancing::kPickFirst:
      return R"({"loadBalancingConfig":[{"pick_first":{}}]})";
    case LoadBalancing::kRoundRobin:
      return R"({"loadBalancingConfig":[{"round_robin":{}}]})";
  }
  return "{}";
}

grpc::ChannelArguments Arguments(const UpstreamConfig& upstream) {
  grpc::ChannelArguments args;
  // limits.message_size is checked for each message by the pumps, which know what to answer and
  // count.
  args.SetMaxReceiveMessageSize(-1);
  args.SetMaxSendMessageSize(-1);
  args.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kConnectionMetadataBytesMax);
  // Messages cross as they are, compressed or not, and so do the headers that tell how.
  args.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  args.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  args.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // Two lanekeepers in one process must not share connections.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Environment variables must not send a sidecar's traffic elsewhere.
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Retry and load balancing policies are the client's and the operator's business, not DNS's.
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  args.SetString(GRPC_ARG_SERVICE_CONFIG, ServiceConfig(upstream.load_balancing));
  // Core's retry filter costs a third of an RPC's CPU and takes grpc-previous-rpc-attempts away
  // from clients that do retry. What must be retried here (the upstream never saw it), CallAttempts
  // does.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Of the two timers of a deadline, the downstream call's is enough: when it fires, the upstream
  // call is cancelled, and not before its headers have left (ClientCall::CancelBehindHeaders).
  args.SetInt(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  // It would add an authority to the calls that have none: CreateCall leaves it none to do.
  args.SetInt(GRPC_ARG_DISABLE_CLIENT_AUTHORITY_FILTER, 1);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectBackoffInitialMs);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectBackoffMaxMs);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMinTimeoutMs);
  args.SetInt(GRPC_ARG_DNS_ARES_QUERY_TIMEOUT_MS, kDnsQueryTimeoutMs);
  // An idle channel keeps its connection: the first RPC after a quiet hour must not wait for a
  // handshake.
  args.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
  if (upstream.keepalive.time.count() > 0) {
    args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(upstream.keepalive.time.count()));
    args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                static_cast<int>(upstream.keepalive.timeout.count()));
    args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  return args;
}

}  // namespace

SharedChannel::SharedChannel(const UpstreamConfig& upstream, int64_t waiting_max)
    : starts_(waiting_max),
      headers_flags_(upstream.wait_for_ready
                         ? GRPC_INITIAL_METADATA_WAIT_FOR_READY |
                               GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET
                         : 0),
      has_one_connection_(upstream.load_balancing == LoadBalancing::kPickFirst) {
  const grpc::ChannelArguments arguments = Arguments(upstream);
  const grpc_channel_args args = arguments.c_channel_args();
  grpc_channel_credentials* credentials = grpc_insecure_credentials_create();
  channel_ = grpc_channel_create(upstream.address.c_str(), credentials, &args);
  grpc_channel_credentials_release(credentials);
  if (upstream.authority) {
    fixed_authority_ = grpc_slice_from_copied_string(upstream.authority->c_str());
  }
}

SharedChannel::~SharedChannel() {
  grpc_channel_destroy(channel_);
  if (fixed_authority_) grpc_slice_unref(*fixed_authority_);
}

grpc_call* SharedChannel::CreateCall(grpc_completion_queue* queue, const CallTarget& target) {
  const grpc_slice* authority = fixed_authority_ ? &*fixed_authority_ : &target.authority;
  // Core refuses downstream calls without one; whoever else makes one gets what sockets of the file
  // system have.
  static const grpc_slice none = grpc_slice_from_static_string("localhost");
  if (GRPC_SLICE_LENGTH(*authority) == 0) authority = &none;
  return grpc_channel_create_call(channel_, nullptr, GRPC_PROPAGATE_DEFAULTS, queue, target.method,
                                  authority, target.deadline, nullptr);
}

}  // namespace lanekeeper
