package dev.hapax.internal.event;

import dev.hapax.Key;
import dev.hapax.event.Event;
import dev.hapax.event.EventAppend;
import dev.hapax.event.EventStream;
import dev.hapax.event.ProjectionBuilder;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.Retries;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.internal.once.OnceFactory;
import dev.hapax.internal.once.Settlements;
import dev.hapax.once.Once;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes streams and projections. Safe for use by many threads. */
public final class EventFactory {

    private final OnceFactory once;
    private final ActiveTransaction.Shared shared;
    private final Retries retries;
    private final EventStore store;
    private final int waitSeconds;

    /** @param waitUpTo how long an append waits for another one by default */
    public EventFactory(
            Connections connections,
            OnceFactory once,
            ActiveTransaction.Shared shared,
            Retries retries,
            Duration waitUpTo) {
        this.waitSeconds = seconds(waitUpTo);
        this.once = once;
        this.shared = shared;
        this.retries = retries;
        this.store = new EventStore(connections, shared.codec());
    }

    public EventStream stream(String name) {
        return new StoredStream(Checks.id("the name of a stream", name), null);
    }

    public ProjectionBuilder projection(String name) {
        return new ProjectionSettings(
                Checks.name("projection", name), new ProjectionStore(store.connections(), shared.codec()), retries);
    }

    Once once(Key key) {
        return once.once(key);
    }

    Settlements settlements() {
        return once.settlements();
    }

    int waitSeconds() {
        return waitSeconds;
    }

    /** Rounded up: JDBC's time-outs know no less. */
    static int seconds(Duration time) {
        return (int) time.plusMillis(999).toSeconds();
    }

    EventStore store() {
        return store;
    }

    Encoded encode(Object event) {
        Encoded encoded = shared.codec().encode(event);
        Checks.that(
                encoded.body().length <= shared.bytesMax(),
                "an event of type %s takes %d bytes; at most %d are allowed (payloadMax)",
                encoded.type(),
                encoded.body().length,
                shared.bytesMax());
        return encoded;
    }

    /** A stream. */
    private final class StoredStream implements EventStream {

        private final String name;
        private final @Nullable Connection joined;

        private StoredStream(String name, @Nullable Connection joined) {
            this.name = name;
            this.joined = joined;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public EventStream on(Connection connection) {
            try {
                Checks.state(
                        !connection.getAutoCommit(),
                        "on(connection) joins a transaction, and this connection has none open: its auto-commit is on");
            } catch (SQLException e) {
                throw new IllegalStateException("the connection given to on(…) can't be used: " + e.getMessage(), e);
            }
            return new StoredStream(name, connection);
        }

        @Override
        public EventAppend append(Key key) {
            return new AppendCall(EventFactory.this, name, key, joined);
        }

        @Override
        public List<Event> read(long from, int most) {
            Checks.that(from >= 1, "the first version of stream %s to read must be 1 or more; it was %d", name, from);
            Checks.range("the number of events to read", most, 1, EVENTS_MAX);
            return asked(connection -> store.read(connection, name, from, most));
        }

        @Override
        public long version() {
            return asked(connection -> store.version(connection, name));
        }

        private <T> T asked(Connections.Work<T> work) {
            try {
                Connection own = joined;
                return own == null ? store.connections().autoCommit(work) : work.apply(own);
            } catch (SQLException e) {
                throw SqlFaults.translate("stream " + name + " can't be read", e);
            }
        }

        @Override
        public String toString() {
            return name;
        }
    }
}
