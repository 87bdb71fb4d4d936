package dev.hapax.internal.event;

import dev.hapax.DamagedException;
import dev.hapax.Key;
import dev.hapax.event.Event;
import dev.hapax.spi.Codec;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;

/** An event as read from its row. Immutable. */
final class StoredEvent implements Event {

    /** In the order in which the constructor expects them: of the event {@code e}, and of its stream {@code s}. */
    static final String COLUMNS =
            "e.position, s.name, e.version, e.recorded_at, e.key_time, e.id, e.type, e.scope, e.producer, e.key";

    /** The column of the body, behind those. */
    static final int BODY = 11;

    private final Codec codec;
    private final long position;
    private final String stream;
    private final long version;
    private final Instant recordedAt;
    private final UUID id;
    private final String type;
    private final Key operation;
    private final byte[] body;

    StoredEvent(Codec codec, ResultSet row, byte[] body) throws SQLException {
        this.codec = codec;
        this.position = row.getLong(1);
        this.stream = row.getString(2);
        this.version = row.getLong(3);
        this.recordedAt = row.getObject(4, OffsetDateTime.class).toInstant();
        this.id = row.getObject(6, UUID.class);
        this.type = row.getString(7);
        OffsetDateTime time = row.getObject(5, OffsetDateTime.class);
        Key key = Key.of(row.getString(8), row.getString(10)).producer(row.getString(9));
        this.operation = time == null || key.time().isPresent() ? key : key.at(time.toInstant());
        this.body = body;
    }

    @Override
    public String stream() {
        return stream;
    }

    @Override
    public long version() {
        return version;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public UUID id() {
        return id;
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public Key operation() {
        return operation;
    }

    @Override
    public Instant recordedAt() {
        return recordedAt;
    }

    @Override
    public <T> T as(Class<T> wanted) {
        try {
            return codec.decode(type, body, wanted);
        } catch (IllegalArgumentException e) {
            throw new DamagedException(this + " can't be read: " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "event " + version + " of stream " + stream + " (" + type + ", position " + position + ")";
    }
}
