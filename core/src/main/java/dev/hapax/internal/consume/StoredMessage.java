package dev.hapax.internal.consume;

import dev.hapax.Key;
import dev.hapax.consume.source.SourceRecord;
import dev.hapax.spi.Codec;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A message as read from a row, of the log or of those that are held. A large body is not read with it, but when it is handled; see {@link LogReader}. */
final class StoredMessage extends ReadMessage {

    /** In the order in which {@link #read} expects them; both tables name them so. */
    static final String COLUMNS =
            "lane, number, topic, message_key, type, scope, producer, key, key_time, trace, published_at";

    private static final int OVERHEAD = 400;

    private final int lane;
    private final long number;
    private final UUID id;
    private final String topic;
    private final String messageKey;
    private final String type;
    private final String scope;
    private final String producer;
    private final String key;
    private final @Nullable Instant keyTime;
    private final @Nullable String trace;
    private final Instant publishedAt;
    private final int attempt;
    private final @Nullable Origin origin;
    private final byte @Nullable [] body;

    private StoredMessage(ResultSet row, int attempt, @Nullable Origin origin) throws SQLException {
        this.lane = row.getInt(1);
        this.number = row.getLong(2);
        this.topic = row.getString(3);
        this.messageKey = row.getString(4);
        this.type = row.getString(5);
        this.scope = row.getString(6);
        this.producer = row.getString(7);
        this.key = row.getString(8);
        OffsetDateTime time = row.getObject(9, OffsetDateTime.class);
        this.keyTime = time == null ? null : time.toInstant();
        this.trace = row.getString(10);
        this.publishedAt = row.getObject(11, OffsetDateTime.class).toInstant();
        this.id = row.getObject(12, UUID.class);
        this.body = row.getBytes(13);
        this.attempt = attempt;
        this.origin = origin;
    }

    private StoredMessage(StoredMessage without, byte[] body) {
        this.lane = without.lane;
        this.number = without.number;
        this.topic = without.topic;
        this.messageKey = without.messageKey;
        this.type = without.type;
        this.scope = without.scope;
        this.producer = without.producer;
        this.key = without.key;
        this.keyTime = without.keyTime;
        this.trace = without.trace;
        this.publishedAt = without.publishedAt;
        this.id = without.id;
        this.body = body;
        this.attempt = without.attempt;
        this.origin = without.origin;
    }

    /** Where a message was read that does not come from the log. */
    interface Origin {

        int partition();

        SourceRecord restore(StoredMessage message);
    }

    /** Reads {@link #COLUMNS}, then id and body, from the first column on. */
    static StoredMessage read(ResultSet row, int attempt) throws SQLException {
        return new StoredMessage(row, attempt, null);
    }

    /** As {@link #read(ResultSet, int)}, for one that was read from a source. */
    static StoredMessage read(ResultSet row, int attempt, Origin origin) throws SQLException {
        return new StoredMessage(row, attempt, origin);
    }

    @Override
    int heldLane() {
        return lane;
    }

    @Override
    Optional<Instant> operationTime() {
        return Optional.ofNullable(keyTime);
    }

    @Override
    int size() {
        return OVERHEAD + (body == null ? 0 : body.length);
    }

    @Override
    boolean isBodyMissing() {
        return body == null;
    }

    @Override
    StoredMessage with(byte[] large) {
        return new StoredMessage(this, large);
    }

    @Override
    Object decode(Codec codec) {
        return origin == null
                ? codec.decode(type, body(), Object.class)
                : origin.restore(this).decode(codec);
    }

    @Override
    public UUID id() {
        return id;
    }

    @Override
    public String topic() {
        return topic;
    }

    @Override
    public String messageKey() {
        return messageKey;
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public byte[] body() {
        byte[] read = body;
        if (read == null) {
            throw new IllegalStateException("the body of message " + id + " has not been read");
        }
        return read;
    }

    @Override
    public Key operation() {
        Key operation = Key.of(scope, key).producer(producer);
        return keyTime == null || operation.time().isPresent() ? operation : operation.at(keyTime);
    }

    @Override
    public Instant publishedAt() {
        return publishedAt;
    }

    @Override
    public int lane() {
        return origin == null ? lane : origin.partition();
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public Optional<String> traceparent() {
        return Optional.ofNullable(trace);
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public <T> Optional<T> unwrap(Class<T> wanted) {
        return origin == null ? Optional.empty() : origin.restore(this).unwrap(wanted);
    }

    @Override
    public String toString() {
        if (origin != null) {
            return topic + "/" + origin.partition() + " at " + number + " (" + id + ")";
        }
        return topic + " " + id + " (lane " + lane + ", number " + number + ")";
    }
}
