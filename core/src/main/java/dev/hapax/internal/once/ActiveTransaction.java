package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.internal.Checks;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.GuardedConnection;
import dev.hapax.internal.Projecting;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.log.Lanes;
import dev.hapax.internal.log.LogWriter;
import dev.hapax.internal.log.Publication;
import dev.hapax.once.BatchTransaction;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Tracing;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One open transaction: its connection, and the messages that will be written at its end. Used by one thread.
 *
 * <p>It is one object for once, for batches and for consumers, so that a message is made in one way.
 */
public final class ActiveTransaction implements BatchTransaction {

    private final Connection raw;
    private final Shared shared;
    private final Map<Key, Integer> published = new HashMap<>(2);
    private final List<Publication> publications = new ArrayList<>(2);
    private @Nullable GuardedConnection guarded;
    private boolean open = true;

    public ActiveTransaction(Connection raw, Shared shared) {
        this.raw = raw;
        this.shared = shared;
    }

    /**
     * What all transactions of a service share.
     *
     * @param service the producer of keys that name none
     * @param messagesMax the most messages of one transaction
     * @param bytesMax the largest encoded message
     */
    public record Shared(Codec codec, Tracing tracing, LogWriter log, String service, int messagesMax, int bytesMax) {}

    @Override
    public Connection connection() {
        checkOpen();
        GuardedConnection current = guarded;
        if (current == null) {
            current = new GuardedConnection(raw);
            guarded = current;
        }
        return current;
    }

    @Override
    public Transaction of(Key key) {
        return new Operation(() -> key);
    }

    /** As {@link #of(Key)}, for a key that is made if the effect asks for it or publishes. */
    public Transaction of(Supplier<Key> key) {
        return new Operation(key);
    }

    /** How many messages have been gathered. */
    public int size() {
        return publications.size();
    }

    /** Drops what was gathered after the given size: an effect inside a batch has failed, the others go on. */
    public void truncate(int size) {
        publications.subList(size, publications.size()).clear();
    }

    /** Writes the gathered messages and ends the use of this object. The commit is another's. */
    public void flush() throws SQLException {
        end(false);
    }

    /** Writes the gathered messages, commits, and ends the use of this object. Returns the lanes in which there are new ones. */
    public int flushAndCommit() throws SQLException {
        return end(true);
    }

    private int end(boolean commits) throws SQLException {
        checkOpen();
        open = false;
        if (publications.isEmpty()) {
            if (commits) {
                raw.commit();
            }
            return Lanes.NONE;
        }
        try {
            return shared.log.write(raw, publications, commits);
        } catch (SQLException e) {
            if (SqlFaults.isUndefinedTable(e)) {
                shared.log.forget();
            }
            throw e;
        }
    }

    private void checkOpen() {
        if (!open) {
            throw new IllegalStateException("this transaction has ended; it must not be used outside its effect");
        }
    }

    private void publish(Key key, @Nullable Instant due, String topic, String messageKey, Object body) {
        checkOpen();
        Projecting.refuse("a message", key);
        Checks.id("topic", topic);
        Checks.id("message key", messageKey);
        Checks.that(
                publications.size() < shared.messagesMax,
                "a transaction may publish at most %d messages (messagesMax)",
                shared.messagesMax);
        Encoded encoded = shared.codec.encode(body);
        Checks.that(
                encoded.body().length <= shared.bytesMax,
                "a message for topic %s takes %d bytes; at most %d are allowed (payloadMax). Publish a reference to it instead",
                topic,
                encoded.body().length,
                shared.bytesMax);
        // With its producer, or two services that use the same id would make messages of the same id.
        Key operation = key.producer().isPresent() ? key : key.producer(shared.service);
        int nth = published.merge(key, 1, Integer::sum);
        publications.add(new Publication(
                ChildIds.own(operation, "message/" + nth),
                operation,
                topic,
                messageKey,
                encoded.type(),
                encoded.body(),
                shared.tracing.traceparent(),
                due));
    }

    /** The transaction, as seen by one operation. */
    private final class Operation implements Transaction {

        private final Supplier<Key> made;
        private @Nullable Key key;

        private Operation(Supplier<Key> made) {
            this.made = made;
        }

        @Override
        public Connection connection() {
            return ActiveTransaction.this.connection();
        }

        @Override
        public Key key() {
            Key known = key;
            if (known == null) {
                known = made.get();
                key = known;
            }
            return known;
        }

        @Override
        public void publish(String topic, String messageKey, Object body) {
            ActiveTransaction.this.publish(key(), null, topic, messageKey, body);
        }

        @Override
        public void publishAt(Instant due, String topic, String messageKey, Object body) {
            ActiveTransaction.this.publish(key(), due, topic, messageKey, body);
        }
    }
}
