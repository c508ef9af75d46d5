import io.grpc.Deadline;
import io.grpc.Metadata;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import lanekeeper.tests.EchoOuterClass.JournalEntry;

/** Remembers every call that carried a call-id. Its lock is also that of the entries. */
final class Journal {
  private final Map<String, Record> records = new HashMap<>();

  synchronized Record open(Metadata metadata, String authority, Deadline deadline) {
    JournalEntry.Builder entry = JournalEntry.newBuilder()
        .setServer("java")
        .setKnown(true)
        .setAuthority(authority)
        .setDeadlineMs(deadline == null ? -1 : deadline.timeRemaining(TimeUnit.MILLISECONDS))
        .addAllMetadata(Shared.toEntries(metadata));
    Record record = new Record(entry);
    String id = metadata.get(Shared.textKey("call-id"));
    if (id == null) return record;
    Record earlier = records.put(id, record);
    if (earlier != null) entry.addAllPreviousAttempts(earlier.entry.getPreviousAttemptsList());
    String attempts = metadata.get(Shared.textKey("grpc-previous-rpc-attempts"));
    entry.addPreviousAttempts(attempts == null ? "" : attempts);
    return record;
  }

  synchronized JournalEntry find(String id) {
    Record record = records.get(id);
    return record == null ? JournalEntry.newBuilder().setServer("java").build() : record.entry.build();
  }

  /** One call's page; also handed out, but not kept, for a call without an id. */
  final class Record {
    private final JournalEntry.Builder entry;

    private Record(JournalEntry.Builder entry) {
      this.entry = entry;
    }

    /** How many calls have carried this one's id. */
    int attempts() {
      synchronized (Journal.this) {
        return entry.getPreviousAttemptsCount();
      }
    }

    void message() {
      synchronized (Journal.this) {
        entry.setMessages(entry.getMessages() + 1);
      }
    }

    void halfClosed() {
      synchronized (Journal.this) {
        entry.setHalfClosed(true);
      }
    }

    /** To be called just before the handler ends the call by itself. */
    void ended() {
      synchronized (Journal.this) {
        entry.setEnded(true);
      }
    }

    void cancelled() {
      synchronized (Journal.this) {
        if (!entry.getEnded()) entry.setEnded(true).setCancelled(true);
      }
    }
  }
}
