import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import lanekeeper.tests.EchoGrpc;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;
import lanekeeper.tests.EchoOuterClass.Script;

/** A client that retries by gRPC's own policy, and what the server saw of its attempts. */
final class RetryCases {
  private static final int MAX_ATTEMPTS = 4;
  private static final int PUSHBACK_MS = 400; // far more than the policy's backoff
  private static final Map<String, ?> SERVICE_CONFIG = Map.of("methodConfig", List.of(Map.of(
      "name", List.of(Map.of("service", EchoGrpc.SERVICE_NAME)),
      "retryPolicy", Map.of(
          "maxAttempts", (double) MAX_ATTEMPTS,
          "initialBackoff", "0.01s",
          "maxBackoff", "0.05s",
          "backoffMultiplier", 2.0,
          "retryableStatusCodes", List.of("UNAVAILABLE")))));

  static void trailersOnly(Client client) throws InterruptedException {
    Request request = Request.newBuilder()
        .setScript(unavailable(2))
        .setPayload(ByteString.copyFromUtf8("again"))
        .build();
    Metadata id = client.withCallId();
    Response got = retrying(client, EchoGrpc.getUnaryMethod(), id, request).only();
    Check.that(got.getPayload().equals(request.getPayload()), "Unary: got " + got);
    checkAttempts(client, id, "", "1", "2");

    // All of the requests are sent again.
    id = client.withCallId();
    got = retrying(client, EchoGrpc.getClientStreamMethod(), id, request, request, request).only();
    Check.that(got.getMessages() == 3 && got.getBytes() == 15, "ClientStream: got " + got);
    checkAttempts(client, id, "", "1", "2");
  }

  static void untilAttemptsAreUsedUp(Client client) throws InterruptedException {
    checkFails(client, unavailable(MAX_ATTEMPTS), "", "1", "2", "3");
  }

  static void afterPushback(Client client) throws InterruptedException {
    Metadata id = client.withCallId();
    Request request = Request.newBuilder().setScript(withPushback(1, PUSHBACK_MS)).build();
    long begin = System.nanoTime();
    retrying(client, EchoGrpc.getUnaryMethod(), id, request).only();
    long took = (System.nanoTime() - begin) / 1_000_000;
    Check.that(took >= PUSHBACK_MS, "retried after " + took + " ms, want " + PUSHBACK_MS);
    checkAttempts(client, id, "", "1");
  }

  static void forbiddenByPushback(Client client) throws InterruptedException {
    checkFails(client, withPushback(2, -1), "");
  }

  /** Headers commit a call, so an error that comes after them must not look trailers-only. */
  static void notAfterHeaders(Client client) throws InterruptedException {
    Script late = unavailable(2).toBuilder()
        .setHeadersAtOnce(true)
        .addInitialMetadata(Shared.entry("early", ByteString.copyFromUtf8("yes")))
        .build();
    Rpc<Request, Response> rpc = checkFails(client, late, "");
    Check.value("initial metadata", rpc.headers(), "early", "yes");
  }

  /** An RPC that is over, made on another channel to the same target, with the policy. */
  private static Rpc<Request, Response> retrying(Client client,
      MethodDescriptor<Request, Response> method, Metadata metadata, Request... requests)
      throws InterruptedException {
    ManagedChannel channel =
        client.newChannel().enableRetry().defaultServiceConfig(SERVICE_CONFIG).build();
    CallOptions options = Rpc.deadlineIn(Rpc.TIMEOUT_MS);
    Rpc<Request, Response> rpc = Rpc.start(channel, method, options, metadata).ask(requests);
    rpc.awaitEnd();
    channel.shutdown();
    return rpc;
  }

  /** UNAVAILABLE, trailers only, for the first attempts. */
  private static Script unavailable(int failAttempts) {
    return Script.newBuilder()
        .setStatusCode(Status.Code.UNAVAILABLE.value())
        .setStatusMessage("not yet")
        .setFailAttempts(failAttempts)
        .build();
  }

  private static Script withPushback(int failAttempts, int ms) {
    ByteString value = ByteString.copyFromUtf8(String.valueOf(ms));
    return unavailable(failAttempts).toBuilder()
        .addTrailingMetadata(Shared.entry("grpc-retry-pushback-ms", value))
        .build();
  }

  private static void checkAttempts(Client client, Metadata id, String... want)
      throws InterruptedException {
    List<String> got = client.journal(id).getPreviousAttemptsList();
    Check.that(got.equals(List.of(want)), "the attempts' grpc-previous-rpc-attempts: got " + got
        + ", want " + List.of(want));
  }

  private static Rpc<Request, Response> checkFails(Client client, Script script, String... attempts)
      throws InterruptedException {
    Metadata id = client.withCallId();
    Request request = Request.newBuilder().setScript(script).build();
    Rpc<Request, Response> rpc = retrying(client, EchoGrpc.getUnaryMethod(), id, request);
    Check.status(rpc, Status.Code.UNAVAILABLE, "not yet");
    checkAttempts(client, id, attempts);
    return rpc;
  }

  private RetryCases() {}
}
