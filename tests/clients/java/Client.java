import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lanekeeper.tests.EchoGrpc;
import lanekeeper.tests.EchoOuterClass.JournalEntry;
import lanekeeper.tests.EchoOuterClass.JournalRequest;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;

/**
 * The foreign client in Java, on Netty. Usage: Client HOST:PORT [CASE...] | Client HOST:PORT hold
 * RPCS. Prints "ok CASE" or "FAIL CASE: why" for each case.
 */
final class Client {
  interface Case {
    void run(Client client) throws Exception;
  }

  final String target;
  final ManagedChannel channel;
  private int calls;

  private Client(String target) {
    this.target = target;
    channel = newChannel().build();
  }

  NettyChannelBuilder newChannel() {
    return Security.applyTo(NettyChannelBuilder.forTarget(target))
        .maxInboundMessageSize(Integer.MAX_VALUE);
  }

  /** New metadata with the id under which the server's journal keeps the call that carries it. */
  Metadata withCallId() {
    Metadata metadata = new Metadata();
    String id = "java-" + ProcessHandle.current().pid() + "-" + ++calls;
    metadata.put(Shared.textKey("call-id"), id);
    return metadata;
  }

  JournalEntry journal(Metadata withCallId) throws InterruptedException {
    String id = withCallId.get(Shared.textKey("call-id"));
    return Rpc.start(channel, EchoGrpc.getJournalMethod())
        .ask(JournalRequest.newBuilder().setCallId(id).build())
        .only();
  }

  /** Polls the journal until the server saw the call's cancellation. */
  void awaitCancelled(Metadata withCallId) throws InterruptedException {
    for (long bound = System.nanoTime() + 10_000_000_000L;; Thread.sleep(20)) {
      JournalEntry entry = journal(withCallId);
      if (entry.getCancelled()) return;
      Check.that(!entry.getEnded(), "the server ended the call without seeing the cancellation");
      Check.that(System.nanoTime() < bound,
          "the server saw no cancellation in 10 s (it saw the call: " + entry.getKnown() + ")");
    }
  }

  Rpc<Request, Response> unary(Request request) {
    return Rpc.start(channel, EchoGrpc.getUnaryMethod()).ask(request);
  }

  Rpc<Request, Response> unary(Request request, CallOptions options, Metadata metadata) {
    return Rpc.start(channel, EchoGrpc.getUnaryMethod(), options, metadata).ask(request);
  }

  Rpc<Request, Response> serverStream(Request request, Metadata metadata) {
    CallOptions options = Rpc.deadlineIn(Rpc.TIMEOUT_MS);
    return Rpc.start(channel, EchoGrpc.getServerStreamMethod(), options, metadata).ask(request);
  }

  Rpc<Request, Response> clientStream() {
    return Rpc.start(channel, EchoGrpc.getClientStreamMethod());
  }

  Rpc<Request, Response> bidi(Metadata metadata) {
    return bidi(Rpc.deadlineIn(Rpc.TIMEOUT_MS), metadata);
  }

  Rpc<Request, Response> bidi(CallOptions options, Metadata metadata) {
    return Rpc.start(channel, EchoGrpc.getBidiMethod(), options, metadata);
  }

  private static Map<String, Case> cases() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("hello_world", TutorialCases::helloWorld);
    cases.put("route_guide", TutorialCases::routeGuide);
    cases.put("multiplex", TutorialCases::multiplex);
    cases.put("empty_unary", MessageCases::emptyUnary);
    cases.put("large_unary", MessageCases::largeUnary);
    cases.put("message_5mib", MessageCases::message5Mib);
    cases.put("empty_stream", MessageCases::emptyStream);
    cases.put("ping_pong", MessageCases::pingPong);
    cases.put("half_close_then_long_stream", MessageCases::halfCloseThenLongStream);
    cases.put("many_parallel", MessageCases::manyParallel);
    cases.put("headers_before_message", MetadataCases::headersBeforeMessage);
    cases.put("metadata_roundtrip", MetadataCases::metadataRoundtrip);
    cases.put("authority_seen_by_server", MetadataCases::authoritySeenByServer);
    cases.put("status_code_and_message", EndingCases::statusCodeAndMessage);
    cases.put("status_details", EndingCases::statusDetails);
    cases.put("trailers_only_error", EndingCases::trailersOnlyError);
    cases.put("unimplemented_method", EndingCases::unimplementedMethod);
    cases.put("deadline_seen_by_server", EndingCases::deadlineSeenByServer);
    cases.put("deadline_exceeded", EndingCases::deadlineExceeded);
    cases.put("cancel_mid_stream", EndingCases::cancelMidStream);
    cases.put("thousand_cancels", EndingCases::thousandCancels);
    cases.put("early_finish", EndingCases::earlyFinish);
    cases.put("retry_trailers_only", RetryCases::trailersOnly);
    cases.put("retry_until_attempts_are_used_up", RetryCases::untilAttemptsAreUsedUp);
    cases.put("retry_after_pushback", RetryCases::afterPushback);
    cases.put("retry_forbidden_by_pushback", RetryCases::forbiddenByPushback);
    cases.put("no_retry_after_headers", RetryCases::notAfterHeaders);
    return cases;
  }

  /**
   * Makes RPCs on the one connection, says so, keeps the connection until stdin ends, and shows that
   * it still serves.
   */
  private void hold(int rpcs) throws Exception {
    for (int i = 0; i < rpcs; i++) {
      if (i % 2 == 0) {
        TutorialCases.helloWorld(this);
      } else {
        MessageCases.pingPong(this);
      }
    }
    System.out.println("holding");
    System.in.readAllBytes();
    TutorialCases.helloWorld(this);
  }

  private boolean run(String name, Case body) {
    try {
      body.run(this);
    } catch (Exception | AssertionError error) { // a failed case must not stop the next one
      String why = error instanceof AssertionError ? error.getMessage() : error.toString();
      System.out.println("FAIL " + name + ": " + why);
      return false;
    }
    System.out.println("ok " + name);
    return true;
  }

  public static void main(String[] arguments) {
    if (arguments.length == 0) {
      System.err.println("usage: Client HOST:PORT [CASE...] | Client HOST:PORT hold RPCS");
      System.exit(2);
    }
    Client client = new Client(arguments[0]);
    List<String> wanted = Arrays.asList(arguments).subList(1, arguments.length);
    boolean good = true;
    if (wanted.size() == 2 && wanted.get(0).equals("hold")) {
      good = client.run("hold", self -> self.hold(Integer.parseInt(wanted.get(1))));
    } else {
      Map<String, Case> cases = cases();
      for (String name : wanted.isEmpty() ? cases.keySet() : wanted) {
        Case unknown = self -> Check.that(false, "no such case");
        good &= client.run(name, cases.getOrDefault(name, unknown));
      }
    }
    client.channel.shutdownNow();
    System.exit(good ? 0 : 1);
  }
}
