// One message through a pump: received, taken, the next receive started, sent, counted.
//
// Core's part is left out: this program defines the three functions of core that a pump's lanes
// call, and so stands in for the library's. A batch that is started stays in flight until the
// benchmark completes it.
#include <benchmark/benchmark.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include "proxy/rpc/core_symbols.h"
#include "proxy/rpc/pump.h"
#include "proxy/rpc/send_ops.h"
#include "tests/bench/micro/kernel.h"

// Of core's type only the name is public.
struct grpc_call {
  void* receive_tag = nullptr;
  grpc_byte_buffer** receive_into = nullptr;
  void* send_tag = nullptr;
};

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void*) {
  for (const grpc_op* op = ops; op != ops + count; ++op) {
    if (op->op == GRPC_OP_RECV_MESSAGE) {
      call->receive_tag = tag;
      call->receive_into = op->data.recv_message.recv_message;
    } else {
      call->send_tag = tag;
    }
  }
  return GRPC_CALL_OK;
}

int grpc_call_failed_before_recv_message(const grpc_call*) { return 0; }

}  // extern "C"

uint32_t grpc_call_test_only_get_message_flags(grpc_call*) { return 0; }

namespace lanekeeper {
namespace {

void Complete(void* tag) {
  auto* const completion = static_cast<Completion*>(tag);
  completion->set_ok(true);
  completion->Do();
}

// Sends into nothing. Tells when the first message has been sent.
class Sink {
 public:
  Sink(grpc_call& call, LaneMetrics metrics, bool& sending)
      : call_(call), operation_(metrics), sending_(sending) {}

  Operation& Send(MessageRun run, bool more_follows) {
    message_ = run.Join();
    sending_ = true;
    const grpc_op op = MessageOp(message_, more_follows);
    operation_.Start(&call_, {&op, 1});
    return operation_;
  }

 private:
  grpc_call& call_;
  Operation operation_;
  Message message_;
  bool& sending_;
};

// A pump with a call on either side.
class Direction100B {
 public:
  Direction100B() : queue_(grpc_completion_queue_create_for_next(nullptr)), loop_(queue_, shard_) {
    receiver_.Start();
    Run(*this);
    // The first message is held until the queue has been found empty.
    Receive(NewMessage());
    while (!sending_) loop_.TakeStep(gpr_inf_past(GPR_CLOCK_MONOTONIC));
    Complete(to_.send_tag);
  }
  Direction100B(const Direction100B&) = delete;
  Direction100B& operator=(const Direction100B&) = delete;
  ~Direction100B() {
    Receive(nullptr);
    grpc_completion_queue_shutdown(queue_);
    loop_.Run();
    grpc_completion_queue_destroy(queue_);
    grpc_slice_unref(payload_);
  }

  grpc_byte_buffer* NewMessage() { return grpc_raw_byte_buffer_create(&payload_, 1); }
  void Receive(grpc_byte_buffer* message) {
    *from_.receive_into = message;
    Complete(from_.receive_tag);
  }
  void CompleteSend() { Complete(to_.send_tag); }

  int64_t messages() const { return shard_.messages[0].Get(); }

 private:
  static Detached Run(Direction100B& self) {
    co_await Pump(self.loop_, self.receiver_, self.sink_, SIZE_MAX, self.cells_, self.end_);
  }

  grpc_slice payload_ = grpc_slice_malloc(100);
  MethodLabels labels_{200};
  MetricShard shard_{labels_};
  grpc_completion_queue* queue_;
  RpcLoop loop_;
  StreamActivity activity_{shard_, loop_.clock()};
  StreamActivity::Way& way_ = activity_.way(Direction::kToUpstream);
  grpc_call from_;
  grpc_call to_;
  bool sending_ = false;
  MessageReceiver receiver_{&from_, {"receive", &way_.receive, &shard_.contract_violations}};
  Sink sink_{to_, {"send", &way_.send, &shard_.contract_violations}, sending_};
  MethodCells& method_ = shard_.ForMethod("/shop.Orders/Chat");
  PumpCells cells_{shard_.messages[0], shard_.message_bytes[0], &method_.messages_received, nullptr,
                   way_};
  PumpEnd end_;
};

LANEKEEPER_KERNEL void KernelPumpStep(Direction100B& direction, grpc_byte_buffer* message) {
  direction.Receive(message);
  direction.CompleteSend();
}

void PumpStep(benchmark::State& state) {
  grpc_init();
  {
    Direction100B direction;
    const int64_t before = direction.messages();
    for (auto _ : state) KernelPumpStep(direction, direction.NewMessage());
    if (direction.messages() - before != static_cast<int64_t>(state.iterations())) {
      state.SkipWithError("did not pass once each");
    }
  }
  grpc_shutdown();
}
BENCHMARK(PumpStep)->Name("pump_step");

}  // namespace
}  // namespace lanekeeper
