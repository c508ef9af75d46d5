import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lanekeeper.tests.EchoOuterClass.Entry;
import lanekeeper.tests.EchoOuterClass.JournalEntry;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;
import lanekeeper.tests.EchoOuterClass.Script;

/** Metadata in both directions. */
final class MetadataCases {
  /** The server's initial metadata must come while no message follows it. */
  static void headersBeforeMessage(Client client) throws InterruptedException {
    Script script = Script.newBuilder()
        .setHeadersAtOnce(true)
        .setBlockUntilCancelled(true)
        .addInitialMetadata(Shared.entry("early", ByteString.copyFromUtf8("yes")))
        .build();
    Metadata id = client.withCallId();
    Request request = Request.newBuilder().setScript(script).build();
    cancelAfterHeaders("ServerStream", client, client.serverStream(request, id), id);

    // The server speaks first: the client has sent headers only.
    id = client.withCallId();
    id.put(Shared.binaryKey("script-bin"), script.toByteArray());
    cancelAfterHeaders("Bidi", client, client.bidi(id), id);
  }

  private static void cancelAfterHeaders(
      String where, Client client, Rpc<Request, Response> rpc, Metadata id) throws InterruptedException {
    Check.value(where, rpc.awaitHeaders(), "early", "yes");
    rpc.cancel();
    client.awaitCancelled(id);
  }

  static void metadataRoundtrip(Client client) throws InterruptedException {
    byte[] every = new byte[256];
    for (int i = 0; i < every.length; i++) every[i] = (byte) i;
    Map<String, List<ByteString>> values = Map.of(
        "one", texts("a value with spaces, a comma and ~!@#$%^&*()"),
        "repeated", texts("first", "second", "third"),
        "one-bin", List.of(ByteString.copyFrom(every)),
        "repeated-bin", List.of(ByteString.copyFrom(new byte[] {0}),
            ByteString.copyFrom(new byte[] {(byte) 0xff, (byte) 0xfe}),
            ByteString.copyFromUtf8("three")));
    Metadata metadata = client.withCallId();
    metadata.merge(Shared.toMetadata(entries("up-", values)));
    Script script = Script.newBuilder()
        .addAllInitialMetadata(entries("down-", values))
        .addAllTrailingMetadata(entries("end-", values))
        .build();
    Request request = Request.newBuilder().setScript(script).setPayload(Shared.pattern(10)).build();
    Rpc<Request, Response> rpc = client.unary(request, Rpc.deadlineIn(Rpc.TIMEOUT_MS), metadata);
    rpc.only();
    JournalEntry entry = client.journal(metadata);
    // grpc-go's server counts :authority as metadata, which this library's Metadata cannot hold.
    Metadata seen = Shared.toMetadata(
        entry.getMetadataList().stream().filter(e -> !e.getKey().startsWith(":")).toList());
    boolean joined = entry.getServer().equals("node");
    values.forEach((key, want) -> {
      Check.values("at the server", seen, "up-" + key, want, joined);
      Check.values("initial metadata", rpc.headers(), "down-" + key, want, false);
      Check.values("trailers", rpc.trailers(), "end-" + key, want, false);
    });
  }

  private static List<ByteString> texts(String... texts) {
    return List.of(texts).stream().map(ByteString::copyFromUtf8).toList();
  }

  private static List<Entry> entries(String prefix, Map<String, List<ByteString>> values) {
    List<Entry> entries = new ArrayList<>();
    values.forEach((key, several) ->
        several.forEach(value -> entries.add(Shared.entry(prefix + key, value))));
    return entries;
  }

  static void authoritySeenByServer(Client client) throws InterruptedException {
    Metadata id = client.withCallId();
    client.unary(Request.getDefaultInstance(), Rpc.deadlineIn(Rpc.TIMEOUT_MS), id).only();
    JournalEntry entry = client.journal(id);
    // grpcio's server does not tell its handlers the authority.
    Check.that(entry.getServer().equals("python") || entry.getAuthority().equals(client.target),
        "got " + entry.getAuthority() + ", want " + client.target);
  }

  private MetadataCases() {}
}
