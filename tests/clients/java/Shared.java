import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import java.util.ArrayList;
import java.util.List;
import lanekeeper.tests.EchoOuterClass.Entry;
import routeguide.Routeguide.Feature;
import routeguide.Routeguide.Point;

/** What the Java server and the Java client must agree on. */
final class Shared {
  static final int FEATURES = 25;

  /** Feature i of the map; see routeguide.proto. */
  static Feature feature(int i) {
    return Feature.newBuilder()
        .setName("Feature " + i)
        .setLocation(point(400000000 + i * 1000000, -750000000 + i * 500000))
        .build();
  }

  static Point point(int latitude, int longitude) {
    return Point.newBuilder().setLatitude(latitude).setLongitude(longitude).build();
  }

  /** The length of one leg of a route. */
  static long distance(Point a, Point b) {
    return Math.abs((long) a.getLatitude() - b.getLatitude())
        + Math.abs((long) a.getLongitude() - b.getLongitude());
  }

  /** `size` bytes that are not all alike, the same in every language. */
  static ByteString pattern(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) bytes[i] = (byte) ((i % 251 * 31 + 7) % 251);
    return ByteString.copyFrom(bytes);
  }

  static boolean isBinary(String key) {
    return key.endsWith(Metadata.BINARY_HEADER_SUFFIX);
  }

  static Metadata.Key<byte[]> binaryKey(String name) {
    return Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER);
  }

  static Metadata.Key<String> textKey(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  static Metadata toMetadata(List<Entry> entries) {
    Metadata metadata = new Metadata();
    for (Entry entry : entries) {
      if (isBinary(entry.getKey())) {
        metadata.put(binaryKey(entry.getKey()), entry.getValue().toByteArray());
      } else {
        metadata.put(textKey(entry.getKey()), entry.getValue().toStringUtf8());
      }
    }
    return metadata;
  }

  static List<Entry> toEntries(Metadata metadata) {
    List<Entry> entries = new ArrayList<>();
    for (String key : metadata.keys()) {
      for (ByteString value : values(metadata, key)) entries.add(entry(key, value));
    }
    return entries;
  }

  static Entry entry(String key, ByteString value) {
    return Entry.newBuilder().setKey(key).setValue(value).build();
  }

  /** The values of one key, in order. */
  static List<ByteString> values(Metadata metadata, String key) {
    List<ByteString> values = new ArrayList<>();
    if (isBinary(key)) {
      Iterable<byte[]> all = metadata.getAll(binaryKey(key));
      if (all != null) all.forEach(value -> values.add(ByteString.copyFrom(value)));
    } else {
      Iterable<String> all = metadata.getAll(textKey(key));
      if (all != null) all.forEach(value -> values.add(ByteString.copyFromUtf8(value)));
    }
    return values;
  }

  private Shared() {}
}
