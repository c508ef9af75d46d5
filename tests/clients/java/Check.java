import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;
import java.util.stream.Collectors;
import lanekeeper.tests.EchoOuterClass.Response;

/** Checks of the client's cases; each throws what is wrong. */
final class Check {
  static void that(boolean good, String why) {
    if (!good) throw new AssertionError(why);
  }

  static void status(Rpc<?, ?> rpc, Status.Code code) throws InterruptedException {
    Status got = rpc.status();
    that(got.getCode() == code, "status " + got + ", want " + code);
  }

  static void status(Rpc<?, ?> rpc, Status.Code code, String message) throws InterruptedException {
    status(rpc, code);
    String got = rpc.status().getDescription();
    that(message.equals(got), "status message " + got + ", want " + message);
  }

  static void payload(Response response, int size) {
    that(response != null && response.getPayload().equals(Shared.pattern(size)),
        "wrong payload: " + (response == null ? "none" : response.getPayload().size() + " bytes")
            + ", want the pattern of " + size);
  }

  static void stream(Rpc<?, Response> rpc, int count, int size) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      Response response = rpc.next();
      that(response != null, i + " responses, want " + count);
      that(response.getIndex() == i, "got response " + response.getIndex() + " as number " + i);
      payload(response, size);
    }
    rpc.succeed();
  }

  /**
   * The values of one key, in order. A Node server cannot tell repeated ASCII keys apart: Node's
   * http2 module joins them with ", " before grpc-js sees them, so pass joined for it.
   */
  static void values(
      String where, Metadata metadata, String key, List<ByteString> want, boolean joined) {
    String got = text(key, Shared.values(metadata, key), joined);
    String wanted = text(key, want, joined);
    that(got.equals(wanted), where + ", key " + key + ": got " + got + ", want " + wanted);
  }

  static void value(String where, Metadata metadata, String key, String want) {
    values(where, metadata, key, List.of(ByteString.copyFromUtf8(want)), false);
  }

  private static String text(String key, List<ByteString> values, boolean joined) {
    return values.stream()
        .map(value -> value.toString(java.nio.charset.StandardCharsets.ISO_8859_1))
        .collect(Collectors.joining(joined && !Shared.isBinary(key) ? ", " : "|"));
  }

  private Check() {}
}
