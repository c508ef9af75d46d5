import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;
import lanekeeper.tests.EchoOuterClass.Script;

/** One RPC of Echo at the server: lets its thread block, obeys its script, keeps its journal. */
final class EchoCall extends ServerCall.Listener<Request> {
  /** Thrown to leave a handler whose client has gone. */
  static final class Gone extends Exception {}

  private final ServerCall<Request, Response> call;
  private final Metadata headers;
  private final Journal.Record record;
  private final Queue<Request> requests = new ArrayDeque<>();
  private Script script;
  private boolean halfClosed;
  private boolean cancelled;
  private boolean headersSent;

  EchoCall(ServerCall<Request, Response> call, Metadata headers, Journal journal) {
    this.call = call;
    this.headers = headers;
    this.record = journal.open(headers, call.getAuthority(), Context.current().getDeadline());
  }

  @Override
  public synchronized void onMessage(Request request) {
    record.message();
    requests.add(request);
    notifyAll();
  }

  @Override
  public synchronized void onHalfClose() {
    halfClosed = true;
    notifyAll();
  }

  @Override
  public synchronized void onCancel() {
    record.cancelled();
    cancelled = true;
    notifyAll();
  }

  @Override
  public synchronized void onReady() {
    notifyAll();
  }

  private void await(BooleanSupplier done) throws Gone, InterruptedException {
    while (!cancelled && !done.getAsBoolean()) wait();
    if (cancelled) throw new Gone();
  }

  /** The next request, or null at the half-close. */
  synchronized Request next() throws Gone, InterruptedException {
    call.request(1);
    await(() -> !requests.isEmpty() || halfClosed);
    if (requests.isEmpty()) record.halfClosed();
    return requests.poll();
  }

  /** The one request. If the client resets the RPC, grpc-java may tell the half-close without it. */
  synchronized Request only() throws Gone, InterruptedException {
    Request request = next();
    if (request == null) await(() -> false);
    return request;
  }

  /** Waits until there is room, so that a slow client slows us down. */
  synchronized void send(Response response) throws Gone, InterruptedException {
    await(call::isReady);
    sendHeaders();
    call.sendMessage(response);
  }

  private void sendHeaders() {
    if (headersSent) return;
    headersSent = true;
    call.sendHeaders(Shared.toMetadata(script().getInitialMetadataList()));
  }

  boolean begun() {
    return script != null;
  }

  Script script() {
    return begun() ? script : Script.getDefaultInstance();
  }

  void beginFromMetadata() throws Gone, InterruptedException {
    byte[] bytes = headers.get(Shared.binaryKey("script-bin"));
    if (bytes == null) return;
    try {
      begin(Script.parseFrom(bytes));
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException(error);
    }
  }

  /** All of the script that comes before the first response. */
  synchronized void begin(Script script) throws Gone, InterruptedException {
    this.script = script;
    if (script.getHeadersAtOnce() || script.getInitialMetadataCount() > 0) sendHeaders();
    if (script.getBlockUntilCancelled()) await(() -> false);
    long end = System.nanoTime() + script.getDelayMs() * 1_000_000L;
    for (long left; !cancelled && (left = end - System.nanoTime()) > 0;) {
      wait(left / 1_000_000, (int) (left % 1_000_000));
    }
  }

  boolean willFail() {
    int failing = script().getFailAttempts();
    return script().getStatusCode() != 0 && (failing == 0 || record.attempts() <= failing);
  }

  /** The script's status and trailers. */
  synchronized void end() {
    record.ended();
    Metadata trailers = Shared.toMetadata(script().getTrailingMetadataList());
    if (!willFail()) {
      sendHeaders();
      call.close(Status.OK, trailers);
      return;
    }
    if (!script.getStatusDetails().isEmpty()) {
      trailers.put(Shared.binaryKey("grpc-status-details-bin"), script.getStatusDetails().toByteArray());
    }
    Status status = Status.fromCodeValue(script.getStatusCode());
    call.close(status.withDescription(script.getStatusMessage()), trailers);
  }
}
