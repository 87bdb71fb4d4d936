package dev.hapax.internal.once;

import dev.hapax.DamagedException;
import dev.hapax.Key;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.internal.Connections;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code once} lends to features that have markers of their own: where the marker of a key lies, how it is written beside a row of theirs (sagas, two-phase commit) or at the end (claims), how its answer is kept, and
 * how a transaction is tried again. Safe for use by many threads.
 */
public final class Settlements {

    private static final Logger LOG = LoggerFactory.getLogger(Settlements.class);

    private final OnceEngine engine;
    private final Partitions partitions;
    private final DatabaseClock clock;
    private final int waitSeconds;

    /** @param waitSeconds how long a repeat waits by default */
    Settlements(OnceEngine engine, Partitions partitions, DatabaseClock clock, int waitSeconds) {
        this.engine = engine;
        this.partitions = partitions;
        this.clock = clock;
        this.waitSeconds = waitSeconds;
    }

    /** A step that may be tried again. */
    @FunctionalInterface
    public interface Attempt<R> {
        R run() throws SQLException;
    }

    /** What is done in a transaction. */
    @FunctionalInterface
    public interface Work {
        void apply(ActiveTransaction tx) throws Exception;
    }

    /** A failure of the caller's code inside a transaction, on its way through ours. */
    public static final class WorkFailure extends RuntimeException {

        private static final long serialVersionUID = 1L;

        public final transient Throwable thrown;

        private WorkFailure(Throwable thrown) {
            super(null, thrown, false, false);
            this.thrown = thrown;
        }
    }

    /**
     * Where the key's marker lies.
     *
     * @throws TooLateException if the key is older than its scope's window
     * @throws TooEarlyException if its time lies in the future
     */
    public Marker place(Key key) throws SQLException {
        return engine.resolve(key);
    }

    /** Finds out beforehand what {@link #place} has to ask the database for, so that a transaction that places the key needs no second connection. */
    public void prepare(Key key) throws SQLException {
        try {
            place(key);
        } catch (TooLateException | TooEarlyException e) {
            LOG.debug("told when the key is placed", e);
        }
    }

    /** As {@link #place}, for what began inside the window; null if the window has ended meanwhile, so that nobody will ask for the marker any more. */
    public @Nullable Marker placeAtEnd(Key key) throws SQLException {
        try {
            return place(key);
        } catch (TooLateException e) {
            return null;
        }
    }

    /** Binds the parameters of a statement, from the given one on. */
    @FunctionalInterface
    public interface Binding {
        void bind(PreparedStatement statement, int from) throws SQLException;
    }

    /**
     * What is marked, and under which conditions.
     *
     * @param waitSeconds for another transaction on the same key
     */
    public record Marking(Marker marker, byte @Nullable [] fingerprint, int waitSeconds) {}

    /** A marking with the service's default wait. */
    public Marking marking(Marker marker, byte @Nullable [] fingerprint) {
        return new Marking(marker, fingerprint, waitSeconds);
    }

    /**
     * Marks a key and writes one row beside it, in one statement of the connection's transaction.
     *
     * @param insert of one row, {@code FROM marked}: it is written if and only if the key is new
     * @return false if the key was seen; then nothing was written
     * @throws dev.hapax.InProgressException if another transaction on the same key does not end in time
     */
    public boolean mark(Connection connection, Marking marking, String insert, Binding binding) throws SQLException {
        Marker marker = marking.marker;
        byte[] fingerprint = marking.fingerprint;
        long since = SystemSource.INSTANCE.nanos();
        try (PreparedStatement statement = connection.prepareStatement("WITH marked AS ("
                + marker.tableOrTimeless().insert(fingerprint != null) + " RETURNING 1) " + insert)) {
            int next = Markers.bind(statement, 1, marker);
            if (fingerprint != null) {
                statement.setBytes(next++, fingerprint);
            }
            binding.bind(statement, next);
            try (var watch = connections().deadlines().watch(statement, marking.waitSeconds)) {
                return statement.executeUpdate() == 1;
            }
        } catch (SQLException e) {
            if (SqlFaults.isUndefinedTable(e)) {
                forget(marker);
            }
            if (SqlFaults.isWaitedTooLong(e)) {
                throw OnceEngine.inProgress(marker.key(), "it was waited for " + marking.waitSeconds + " s");
            }
            throw e;
        } finally {
            metrics().markerNanos(marker.scope().name(), SystemSource.INSTANCE.nanos() - since);
        }
    }

    /** What the database's clock tells, as far as this process knows it. */
    public Instant now() {
        return clock.instant();
    }

    /** A statement has found the marker's table, or that of its outcome, dropped. */
    public void forget(Marker marker) {
        engine.markers.forget(marker);
        partitions.forget(marker.scope().outcomes(), marker.outcomeDay(clock.epochDay()));
    }

    /** The day under which the marker's answer is kept; null if that is behind the retention of answers. */
    public @Nullable Long outcomeDay(Marker marker) throws SQLException {
        return engine.outcomes.day(marker);
    }

    /** Tries again after what others caused: a deadlock, a serialization failure, a lost connection, a partition dropped meanwhile. */
    public <R> R retried(Key key, Attempt<R> attempt) {
        return engine.retried(key, attempt::run);
    }

    public static RuntimeException translate(Key key, SQLException e) {
        return OnceEngine.translate(key, e);
    }

    /** The same for a transaction of the caller's. */
    public static RuntimeException translateJoined(Key key, SQLException e) {
        return OnceEngine.translateJoined(key, e);
    }

    /** Counts how a call on the key ended, if it ends with an exception, and refuses it if its scope is paused. */
    public <R> R counted(Key key, Supplier<R> call) {
        return engine.counted(key, call);
    }

    public boolean isPaused(String scope) {
        return engine.isPaused(scope);
    }

    public Metrics metrics() {
        return engine.metrics();
    }

    public Connections connections() {
        return engine.connections();
    }

    /** The key as it is stored, with its producer. */
    public Key withProducer(Key key) {
        return key.producer().isPresent() ? key : key.producer(engine.shared.service());
    }

    /** The key as a caller gives it: the service's own name is left out. */
    public Key asGiven(Key key, String producer) {
        return producer.equals(engine.shared.service()) ? key : key.producer(producer);
    }

    public byte[] fingerprint(Object request) {
        return Fingerprints.of(engine.shared.codec(), request);
    }

    /** @throws dev.hapax.KeyReusedException if both requests are known, and differ */
    public static void checkSame(Key key, byte @Nullable [] given, byte @Nullable [] stored) {
        if (given != null && Fingerprints.differ(given, stored)) {
            throw Fingerprints.reused(key);
        }
    }

    /** @throws IllegalArgumentException if the codec can't encode it, or it is too large */
    public Encoded encode(Key key, Object value) {
        return engine.outcomes.encode(key, value);
    }

    /** @throws dev.hapax.DamagedException if it can't be read back */
    public <T> T decode(Key key, String type, byte[] body, Class<T> wanted) {
        return engine.outcomes.decode(key, type, body, wanted);
    }

    /** @throws DamagedException if it can't be read back */
    public <T> T decodeRequest(Key key, String type, byte[] body, Class<T> wanted) {
        try {
            return engine.shared.codec().decode(type, body, wanted);
        } catch (IllegalArgumentException e) {
            throw new DamagedException("the stored request of key " + key + " can't be read: " + e.getMessage(), e);
        }
    }

    /** The answer that is kept of a marked key, as it is stored; empty if none is kept (any more). */
    public Optional<Encoded> kept(Connection connection, Marker marker) throws SQLException {
        return engine.outcomes.kept(connection, marker);
    }

    /** Whether an answer is past the time for which its scope promises to keep it. */
    public boolean isOver(Marker marker, OffsetDateTime keptAt) {
        return engine.outcomes.isOver(marker, keptAt);
    }

    /** Refuses a key that was seen with another request. */
    public void checkSameRequest(Connection connection, Marker marker, byte @Nullable [] fingerprint)
            throws SQLException {
        engine.checkSameRequest(connection, marker, fingerprint);
    }

    /** Runs the caller's work in the connection's transaction, writes what it published, and commits. */
    public void workAndCommit(Connection connection, Work work) throws SQLException {
        workAndCommit(connection, work, () -> {
            // Nothing comes between.
        });
    }

    /** What comes between the work and its commit. */
    @FunctionalInterface
    public interface Gate {
        /** Lets it pass by returning. */
        void pass() throws SQLException;
    }

    /** As {@link #workAndCommit(Connection, Work)}, with a gate between the work and its commit. */
    public void workAndCommit(Connection connection, Work work, Gate gate) throws SQLException {
        ActiveTransaction tx = new ActiveTransaction(connection, engine.shared);
        try {
            work.apply(tx);
        } catch (Throwable t) {
            SQLException sql = SqlFaults.find(t);
            if (sql != null && SqlFaults.isRetryable(sql)) {
                throw sql;
            }
            throw new WorkFailure(t);
        }
        gate.pass();
        engine.flush(tx, true);
    }

    /** Throws what the caller's code threw, as it is. */
    public static RuntimeException asThrown(Throwable failure) {
        throw OnceEngine.<RuntimeException>asThrown(failure);
    }
}
