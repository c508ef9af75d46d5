#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>

#include <cstring>

#include "tests/conformance/generated/peers.h"
#include "tests/support/core_symbols.h"

namespace lanekeeper::testing {
namespace {

grpc_arg Integer(const char* key, int value) {
  grpc_arg arg{};
  arg.type = GRPC_ARG_INTEGER;
  arg.key = const_cast<char*>(key);
  arg.value.integer = value;
  return arg;
}

grpc_op HalfCloseOp() {
  grpc_op op{};
  op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  return op;
}

}  // namespace

CoreChannel::CoreChannel(const std::string& target) {
  std::string authority = "conformance.test";
  std::vector<grpc_arg> list = {Integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
                                Integer(GRPC_ARG_ENABLE_RETRIES, 0),
                                Integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
                                Integer(GRPC_ARG_MAX_METADATA_SIZE, 1024 * 1024),
                                Integer(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0)};
  grpc_arg& name = list.emplace_back();
  name.type = GRPC_ARG_STRING;
  name.key = const_cast<char*>(GRPC_ARG_DEFAULT_AUTHORITY);
  name.value.string = authority.data();
  const grpc_channel_args args{list.size(), list.data()};
  grpc_channel_credentials* const credentials = grpc_insecure_credentials_create();
  channel_ = grpc_channel_create(target.c_str(), credentials, &args);
  grpc_channel_credentials_release(credentials);
}

ClientPeer::ClientPeer(const CoreChannel& channel, const std::string& method,
                       gpr_timespec deadline) {
  const grpc_slice path = grpc_slice_from_copied_buffer(method.data(), method.size());
  call_ =
      grpc_channel_create_call(channel.get(), nullptr, 0, queue_, path, nullptr, deadline, nullptr);
  grpc_slice_unref(path);
}

ClientPeer::~ClientPeer() {
  CancelAndWait();
  grpc_slice_unref(status_message_);
  gpr_free(const_cast<char*>(error_text_));
}

void ClientPeer::StartCall(const MetadataPairs& headers, const Step& step) {
  grpc_op receive{};
  receive.op = GRPC_OP_RECV_INITIAL_METADATA;
  receive.data.recv_initial_metadata.recv_initial_metadata = headers_.array();
  Start(Lane::kHeaders, {&receive, 1});

  receive = grpc_op{};
  receive.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  receive.data.recv_status_on_client.trailing_metadata = trailers_.array();
  receive.data.recv_status_on_client.status = &status_code_;
  receive.data.recv_status_on_client.status_details = &status_message_;
  receive.data.recv_status_on_client.error_string = &error_text_;
  Start(Lane::kEnd, {&receive, 1});

  CoreMetadata metadata(headers);
  grpc_op send{};
  send.op = GRPC_OP_SEND_INITIAL_METADATA;
  send.data.send_initial_metadata.count = metadata.array()->count;
  send.data.send_initial_metadata.metadata = metadata.array()->metadata;
  std::vector<grpc_op> ops = {send};
  if (step.half_close) ops.push_back(HalfCloseOp());
  CoreCall::Send(std::move(ops), step.message);
}

bool ClientPeer::Send(const Step& step) {
  std::vector<grpc_op> ops;
  if (step.half_close) ops.push_back(HalfCloseOp());
  return CoreCall::Send(std::move(ops), step.message);
}

bool ClientPeer::HalfClose() { return CoreCall::Send({HalfCloseOp()}, {}); }

// Any number may be in it, which a variable of the enum may not be read for.
int ClientPeer::status_code() const {
  int code = 0;
  static_assert(sizeof code == sizeof status_code_);
  std::memcpy(&code, &status_code_, sizeof code);
  return code;
}

bool ClientPeer::trailers_only() const { return grpc_call_is_trailers_only(call_); }

}  // namespace lanekeeper::testing
