import io.grpc.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import lanekeeper.tests.EchoOuterClass.JournalEntry;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;
import lanekeeper.tests.EchoOuterClass.Script;

/** Messages of all sizes and orders. */
final class MessageCases {
  private static final int[] UPS = {27182, 8, 1828, 45904};
  private static final int[] DOWNS = {31415, 9, 2653, 58979};

  static void emptyUnary(Client client) throws InterruptedException {
    Response got = client.unary(Request.getDefaultInstance()).only();
    Check.that(got.getSerializedSize() == 0, "the response is not empty: " + got);
  }

  static void largeUnary(Client client) throws InterruptedException {
    Request request = Request.newBuilder()
        .setPayload(Shared.pattern(271828))
        .setResponseBytes(314159)
        .build();
    Check.payload(client.unary(request).only(), 314159);
  }

  static void message5Mib(Client client) throws InterruptedException {
    int size = 5 << 20;
    // No response_bytes: the request's own bytes come back.
    Request request = Request.newBuilder().setPayload(Shared.pattern(size)).build();
    Check.payload(client.unary(request).only(), size);
  }

  /** Half-closes without a message. */
  static void emptyStream(Client client) throws InterruptedException {
    Response total = client.clientStream().halfClose().only();
    Check.that(total.getMessages() == 0 && total.getBytes() == 0, "ClientStream: got " + total);

    Metadata id = client.withCallId();
    client.bidi(id).halfClose().succeed();
    JournalEntry entry = client.journal(id);
    Check.that(entry.getHalfClosed() && entry.getMessages() == 0, "Bidi: the server saw " + entry);
  }

  /** Never more than one message under way. */
  static void pingPong(Client client) throws InterruptedException {
    alternate(client, 40);
  }

  private static void alternate(Client client, int rounds) throws InterruptedException {
    Rpc<Request, Response> rpc = client.bidi(new Metadata());
    for (int i = 0; i < rounds; i++) alternateOnce(rpc, i);
    rpc.halfClose().succeed();
  }

  static void alternateOnce(Rpc<Request, Response> rpc, int round) throws InterruptedException {
    rpc.send(Request.newBuilder()
        .setPayload(Shared.pattern(UPS[round % 4]))
        .setResponseBytes(DOWNS[round % 4])
        .build());
    Response got = rpc.next();
    if (got == null) Check.that(false, "round " + round + ": " + rpc.status());
    Check.that(got.getIndex() == round, "round " + round + ": got response " + got.getIndex());
    Check.payload(got, DOWNS[round % 4]);
  }

  static void halfCloseThenLongStream(Client client) throws InterruptedException {
    Script script = Script.newBuilder().setResponseCount(200).build();
    Rpc<Request, Response> rpc = client.bidi(new Metadata())
        .ask(Request.newBuilder().setScript(script).setResponseBytes(1000).build());
    // One answer to the message, then those that come after the half-close.
    Check.stream(rpc, 201, 1000);
  }

  /** 100 RPCs of all kinds open at once; their delays make them end out of order. */
  static void manyParallel(Client client) throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      int number = i;
      running.add(threads.submit(() -> {
        oneOfMany(client, number);
        return null;
      }));
    }
    for (Future<?> done : running) done.get();
    threads.shutdown();
  }

  private static void oneOfMany(Client client, int i) throws InterruptedException {
    Script script = Script.newBuilder().setDelayMs(i % 7 * 10).setResponseCount(10).build();
    int size = 100 + i;
    Request request = Request.newBuilder().setScript(script).setResponseBytes(size).build();
    switch (i % 4) {
      case 0 -> Check.payload(client.unary(request).only(), size);
      case 1 -> Check.stream(client.serverStream(request, new Metadata()), 10, size);
      case 2 -> {
        Rpc<Request, Response> rpc = client.clientStream();
        Request sent = Request.newBuilder().setScript(script).setPayload(Shared.pattern(size)).build();
        for (int n = 0; n < 10; n++) rpc.send(sent);
        Response got = rpc.halfClose().only();
        Check.that(got.getMessages() == 10 && got.getBytes() == 10 * size, "got " + got);
      }
      default -> alternate(client, 10);
    }
  }

  private MessageCases() {}
}
