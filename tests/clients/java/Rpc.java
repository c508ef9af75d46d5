import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One RPC of any kind, for a client that blocks. Its deadline bounds every wait. */
final class Rpc<Q, R> extends ClientCall.Listener<R> {
  static final int TIMEOUT_MS = 20_000; // no RPC of a case may take longer

  private final ClientCall<Q, R> call;
  private final Queue<R> responses = new ArrayDeque<>();
  private Metadata headers;
  private Status status;
  private Metadata trailers;

  static CallOptions deadlineIn(int ms) {
    return CallOptions.DEFAULT.withDeadlineAfter(ms, TimeUnit.MILLISECONDS);
  }

  static <Q, R> Rpc<Q, R> start(Channel channel, MethodDescriptor<Q, R> method) {
    return start(channel, method, deadlineIn(TIMEOUT_MS), new Metadata());
  }

  static <Q, R> Rpc<Q, R> start(
      Channel channel, MethodDescriptor<Q, R> method, CallOptions options, Metadata metadata) {
    Rpc<Q, R> rpc = new Rpc<>(channel.newCall(method, options));
    rpc.call.start(rpc, metadata);
    rpc.call.request(1);
    return rpc;
  }

  private Rpc(ClientCall<Q, R> call) {
    this.call = call;
  }

  @Override
  public synchronized void onHeaders(Metadata received) {
    headers = received;
    notifyAll();
  }

  @Override
  public synchronized void onMessage(R response) {
    responses.add(response);
    notifyAll();
  }

  @Override
  public synchronized void onClose(Status end, Metadata received) {
    status = end;
    trailers = received;
    notifyAll();
  }

  @Override
  public synchronized void onReady() {
    notifyAll();
  }

  private void await(BooleanSupplier done) throws InterruptedException {
    while (!done.getAsBoolean()) wait();
  }

  /** Sends when there is room; false when the RPC is over. */
  synchronized boolean send(Q request) throws InterruptedException {
    await(() -> call.isReady() || status != null);
    if (status == null) call.sendMessage(request);
    return status == null;
  }

  Rpc<Q, R> halfClose() {
    call.halfClose();
    return this;
  }

  /** Sends without waiting for room: an RPC that may be retried never tells that there is some. */
  @SafeVarargs
  final Rpc<Q, R> ask(Q... requests) {
    for (Q request : requests) call.sendMessage(request);
    return halfClose();
  }

  /** The next response, or null at the end. */
  synchronized R next() throws InterruptedException {
    await(() -> !responses.isEmpty() || status != null);
    R response = responses.poll();
    if (response != null) call.request(1);
    return response;
  }

  /** The only response of an RPC that succeeds. */
  R only() throws InterruptedException {
    R response = next();
    succeed();
    Check.that(response != null, "OK, but no response");
    return response;
  }

  /** Waits for the end, which must be an OK without more responses. */
  void succeed() throws InterruptedException {
    R extra = next();
    Check.that(extra == null, "a response too many: " + extra);
    Check.status(this, Status.Code.OK);
  }

  void cancel() {
    call.cancel("cancelled by the test", null);
  }

  /** The initial metadata, which must come before the end. */
  synchronized Metadata awaitHeaders() throws InterruptedException {
    await(() -> headers != null || status != null);
    Check.that(headers != null && status == null, "no initial metadata before the end: " + status);
    return headers;
  }

  /** Null if none came. */
  synchronized Metadata headers() {
    return headers;
  }

  synchronized Metadata trailers() {
    return trailers;
  }

  synchronized void awaitEnd() throws InterruptedException {
    await(() -> status != null);
  }

  /** Skips the responses that are left. */
  synchronized Status status() throws InterruptedException {
    while (next() != null) {}
    return status;
  }
}
