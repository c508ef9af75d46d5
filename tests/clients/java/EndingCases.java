import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import lanekeeper.tests.EchoGrpc;
import lanekeeper.tests.EchoOuterClass.Detail;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;
import lanekeeper.tests.EchoOuterClass.RichStatus;
import lanekeeper.tests.EchoOuterClass.Script;

/** The ways an RPC can end. */
final class EndingCases {
  private static final String SPECIAL_MESSAGE =
      "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

  static void statusCodeAndMessage(Client client) throws InterruptedException {
    for (int value = 1; value <= 16; value++) {
      Status.Code code = Status.fromCodeValue(value).getCode();
      for (String message : new String[] {SPECIAL_MESSAGE, "50% of /a;b %41"}) {
        Script.Builder script = Script.newBuilder().setStatusCode(value).setStatusMessage(message);
        Check.status(client.unary(request(script)), code, message);
        // The status comes after a message.
        Rpc<Request, Response> rpc = client.bidi(new Metadata());
        rpc.send(request(script.setEndAfter(1)));
        Check.that(rpc.next() != null, "Bidi: no message");
        Check.that(rpc.next() == null, "Bidi: a second message");
        Check.status(rpc, code, message);
      }
    }
  }

  private static Request request(Script.Builder script) {
    return Request.newBuilder().setScript(script).build();
  }

  static void statusDetails(Client client) throws InterruptedException {
    Status.Code code = Status.Code.RESOURCE_EXHAUSTED;
    ByteString want = RichStatus.newBuilder()
        .setCode(code.value())
        .setMessage("rich")
        .addDetails(Detail.newBuilder()
            .setTypeUrl("type.example/any")
            .setValue(Shared.pattern(200)))
        .build()
        .toByteString();
    Rpc<Request, Response> rpc = client.unary(request(Script.newBuilder()
        .setStatusCode(code.value())
        .setStatusMessage("rich")
        .setStatusDetails(want)));
    Check.status(rpc, code, "rich");
    Check.values("trailers", rpc.trailers(), "grpc-status-details-bin", java.util.List.of(want), false);
  }

  static void trailersOnlyError(Client client) throws InterruptedException {
    Rpc<Request, Response> rpc = client.unary(request(Script.newBuilder()
        .setStatusCode(Status.Code.NOT_FOUND.value())
        .setStatusMessage("nothing here")
        .addTrailingMetadata(Shared.entry("why", ByteString.copyFromUtf8("because")))));
    Check.status(rpc, Status.Code.NOT_FOUND, "nothing here");
    Check.that(rpc.headers() == null, "initial metadata, though the answer was an error at once");
    Check.value("trailers", rpc.trailers(), "why", "because");
  }

  static void unimplementedMethod(Client client) throws InterruptedException {
    for (String method : new String[] {"lanekeeper.tests.Echo/NoSuchMethod", "no.such.Service/Method"}) {
      MethodDescriptor<Request, Response> unknown =
          EchoGrpc.getUnaryMethod().toBuilder().setFullMethodName(method).build();
      Rpc<Request, Response> rpc =
          Rpc.start(client.channel, unknown).ask(Request.getDefaultInstance());
      Check.status(rpc, Status.Code.UNIMPLEMENTED);
    }
  }

  static void deadlineSeenByServer(Client client) throws InterruptedException {
    Metadata id = client.withCallId();
    client.unary(Request.getDefaultInstance(), Rpc.deadlineIn(10_000), id).only();
    long left = client.journal(id).getDeadlineMs();
    // Upwards only the rounding of grpc-timeout; downwards a machine under load.
    Check.that(left >= 5000 && left <= 10200, "the server had " + left + " ms left of 10 s");

    id = client.withCallId();
    client.unary(Request.getDefaultInstance(), CallOptions.DEFAULT, id).only();
    left = client.journal(id).getDeadlineMs();
    Check.that(left == -1, "the server saw a deadline of " + left + " ms where there was none");
  }

  static void deadlineExceeded(Client client) throws InterruptedException {
    Request blocked = request(Script.newBuilder().setBlockUntilCancelled(true));
    Metadata id = client.withCallId();
    checkExpired(client, client.unary(blocked, Rpc.deadlineIn(300), id), id);

    id = client.withCallId();
    Rpc<Request, Response> rpc = client.bidi(Rpc.deadlineIn(300), id);
    rpc.send(blocked);
    checkExpired(client, rpc, id);
  }

  /** Our own server resets the call at its deadline, which a busy client can see before its timer. */
  private static void checkExpired(Client client, Rpc<Request, Response> rpc, Metadata id)
      throws InterruptedException {
    Status.Code code = rpc.status().getCode();
    client.awaitCancelled(id);
    boolean reset = client.journal(id).getServer().equals("java") && code == Status.Code.CANCELLED;
    if (!reset) Check.status(rpc, Status.Code.DEADLINE_EXCEEDED);
  }

  static void cancelMidStream(Client client) throws InterruptedException {
    // The server is waiting for the next message. It has work left for after a half-close: grpcio's
    // server can take a cancellation for one, and would end the call with OK.
    Request request = request(Script.newBuilder().setResponseCount(1_000_000)).toBuilder()
        .setResponseBytes(100)
        .build();
    Metadata id = client.withCallId();
    Rpc<Request, Response> both = client.bidi(id);
    for (int i = 0; i < 3; i++) {
      both.send(request);
      Check.that(both.next() != null, "Bidi: no response " + i);
    }
    cancelAndAwait(client, both, id);

    // The server is sending.
    id = client.withCallId();
    Rpc<Request, Response> down = client.serverStream(request, id);
    for (int i = 0; i < 3; i++) Check.that(down.next() != null, "ServerStream: no response " + i);
    cancelAndAwait(client, down, id);
  }

  private static void cancelAndAwait(Client client, Rpc<Request, Response> rpc, Metadata id)
      throws InterruptedException {
    rpc.cancel();
    Check.status(rpc, Status.Code.CANCELLED);
    client.awaitCancelled(id);
  }

  /**
   * A neighbour's ping-pong goes on while others are cancelled, half of them before the answer. No
   * limit of the server's strikes: Netty's for resets (200 in 30 s) sits in a builder that grpc-java
   * does not use, and grpc-java has one of its own only since 1.59 (Debian 12 has 1.41).
   */
  static void thousandCancels(Client client) throws InterruptedException {
    Request blocked =
        request(Script.newBuilder().setHeadersAtOnce(true).setBlockUntilCancelled(true));
    Rpc<Request, Response> neighbour = client.bidi(new Metadata());
    for (int i = 0; i < 1000; i++) {
      Rpc<Request, Response> rpc = client.serverStream(blocked, new Metadata());
      if (i % 2 == 0) rpc.awaitHeaders();
      rpc.cancel();
      if (i % 25 == 0) MessageCases.alternateOnce(neighbour, i / 25);
    }
    neighbour.halfClose().succeed();
  }

  /** The server ends the call while the client is still writing. */
  static void earlyFinish(Client client) throws InterruptedException {
    Request request = request(Script.newBuilder()
        .setEndAfter(3)
        .setStatusCode(Status.Code.FAILED_PRECONDITION.value())
        .setStatusMessage("enough"))
        .toBuilder()
        .setPayload(Shared.pattern(64 << 10))
        .setResponseBytes(1)
        .build();
    Rpc<Request, Response> rpc = client.bidi(new Metadata());
    Thread writer = new Thread(() -> {
      try {
        while (rpc.send(request)) {}
      } catch (InterruptedException unexpected) {
        throw new IllegalStateException(unexpected);
      }
    });
    writer.start();
    for (int i = 0; i < 3; i++) Check.that(rpc.next() != null, "no response " + i);
    Check.that(rpc.next() == null, "a response too many");
    Check.status(rpc, Status.Code.FAILED_PRECONDITION, "enough");
    writer.join();
  }

  private EndingCases() {}
}
