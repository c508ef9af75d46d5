// Workers that are forked first and call the orders service then. Usage: workers COUNT
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>

namespace {

std::shared_ptr<grpc::Channel> Connect() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(std::getenv("ORDERS_GRPC_TARGET"),
                                   grpc::InsecureChannelCredentials(), arguments);
}

// In yours: the generated stub on this channel.
grpc::Status GetOrder(const std::shared_ptr<grpc::Channel>& channel, grpc::ByteBuffer& order) {
  grpc::Slice text("order 42");
  grpc::ByteBuffer request(&text, 1);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  std::promise<grpc::Status> ended;
  grpc::GenericStub(channel).UnaryCall(&context, "/shop.Orders/Get", {}, &request, &order,
                                       [&](grpc::Status status) { ended.set_value(status); });
  return ended.get_future().get();
}

int Work() {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const auto channel = Connect();
  grpc::ByteBuffer order;
  const grpc::Status status = GetOrder(channel, order);
  grpc::Slice text;
  if (status.ok()) order.DumpToSingleSlice(&text);
  const std::string said =
      status.ok() ? std::string(text.begin(), text.end()) : status.error_message();
  std::printf("worker %d: %s\n", getpid(), said.c_str());
  std::fflush(stdout);
  pause();  // the service's own loop
  return 0;
}

}  // namespace

int main(int, char** arguments) {
  // Nothing of gRPC is used before the last fork.
  for (int i = 0; i < std::atoi(arguments[1]); ++i) {
    if (fork() == 0) return Work();
  }
  while (wait(nullptr) > 0) continue;
}
