package dev.hapax.internal.once;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.RetryException;
import dev.hapax.StoreException;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.internal.Connections;
import dev.hapax.internal.Pauses;
import dev.hapax.internal.Projecting;
import dev.hapax.internal.Retries;
import dev.hapax.internal.Signals;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Metrics.Ending;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Applies one operation: marker and effect in one commit.
 *
 * <p>The order is what makes it safe. The marker is written first: from then on, whoever else tries the same key waits for this transaction to
 * end. If it commits, marker and effect are there together; if not, neither is. A commit whose answer was lost is settled by doing the
 * whole again: the marker's unique index waits for the old transaction where that is still alive, then either says "seen" (it had
 * committed) or lets this one be the first. So no path decides "new" by reading.
 *
 * <p>Safe for use by many threads.
 */
final class OnceEngine {

    private final Connections connections;
    final Markers markers;
    final Outcomes outcomes;
    final ActiveTransaction.Shared shared;
    final RecentRepeats recentRepeats = new RecentRepeats();
    private final Retries retries;
    private final Metrics metrics;
    private final Pauses pauses;
    private final Signals signals;

    OnceEngine(
            Connections connections,
            Markers markers,
            Outcomes outcomes,
            ActiveTransaction.Shared shared,
            Retries retries,
            Telemetry telemetry) {
        this.connections = connections;
        this.markers = markers;
        this.outcomes = outcomes;
        this.shared = shared;
        this.retries = retries;
        this.metrics = telemetry.metrics;
        this.pauses = telemetry.pauses;
        this.signals = telemetry.signals;
    }

    /** Where an engine tells what it does, and is told what it may do. */
    record Telemetry(Metrics metrics, Pauses pauses, Signals signals) {}

    /**
     * Finds where the key's marker lies. A scope, a producer or a day that isn't known yet is asked for on a connection of its own, so this comes
     * before the transaction's own connection is borrowed: callers that held one each while they waited for a second would wait for each
     * other until the pool gives up. The day of the log is looked up for the same reason.
     */
    Marker resolve(Key key) throws SQLException {
        shared.log().prepare();
        return markers.resolve(key);
    }

    /** What is done in the transaction after its marker's fate is known. */
    interface Body<R> {

        /** Before there is a transaction: finds out what applying would have to ask for on another connection. */
        default void prepare(Marker marker) throws SQLException {
            // Most need nothing but their marker.
        }

        /** The key is new: apply. Failures of the effect itself are thrown as {@link EffectFailure}. */
        R apply(Connection connection, Marker marker) throws SQLException;

        /** The key was seen: find what can be said. */
        R replay(Connection connection, Marker marker) throws SQLException;
    }

    /** A failure of the caller's effect, on its way through our own code. */
    static final class EffectFailure extends RuntimeException {

        private static final long serialVersionUID = 1L;

        final Throwable effect;

        EffectFailure(Throwable effect) {
            super(null, effect, false, false);
            this.effect = effect;
        }
    }

    <R> R run(Key key, OnceSpec spec, Body<R> body) {
        return counted(key, () -> {
            Connection joined = spec.joined;
            if (joined == null) {
                return retried(key, () -> own(key, spec, body));
            }
            try {
                return inside(joined, markers.resolve(key), spec, body);
            } catch (SQLException e) {
                throw translateJoined(key, e);
            }
        });
    }

    /** Counts how the operation ended, whichever way it is run. */
    <R> R counted(Key key, java.util.function.Supplier<R> call) {
        String scope = key.scope();
        Projecting.refuse("an operation", key);
        pauses.checkScope(scope, key, metrics);
        try {
            return call.get();
        } catch (EffectFailure e) {
            metrics.once(scope, Ending.FAILED, 1);
            throw OnceEngine.<RuntimeException>asThrown(e.effect);
        } catch (RuntimeException | Error e) {
            metrics.once(scope, ending(e), 1);
            throw e;
        }
    }

    /** As what an operation counts that ended with this. */
    static Ending ending(Throwable failure) {
        return switch (failure) {
            case KeyReusedException e -> Ending.CONFLICTING;
            case TooLateException e -> Ending.LATE;
            case TooEarlyException e -> Ending.EARLY;
            case InProgressException e -> Ending.IN_PROGRESS;
            default -> Ending.FAILED;
        };
    }

    /** A step that may be tried again. */
    @FunctionalInterface
    interface Attempt<R> {
        R run() throws SQLException;
    }

    /**
     * Tries again after what others caused: a deadlock, a serialization failure, a lost connection, a partition dropped meanwhile.
     *
     * <p>A try whose connection was lost may have been committed, or may still be committed by a server that hears of the loss late. What the next try
     * is told then (somebody has the key, the disk is full) is true of that try alone, and the caller is told that nobody knows.
     */
    <R> R retried(Key key, Attempt<R> attempt) {
        SQLException doubt = null;
        for (int n = 1; ; n++) {
            try {
                return attempt.run();
            } catch (SQLException e) {
                doubt = SqlFaults.isUnreachable(e) ? e : doubt;
                boolean droppedMeanwhile = SqlFaults.isUndefinedTable(e) && n == 1;
                if (!(SqlFaults.isRetryable(e) || droppedMeanwhile) || n >= retries.attemptsMax()) {
                    throw doubt == null ? translate(key, e) : inDoubt(key, doubt, e);
                }
            } catch (InProgressException | TooEarlyException | StoreException e) {
                throw doubt == null ? e : inDoubt(key, doubt, e);
            } catch (EffectFailure e) {
                // The effect ran, so its marker was new: no try before this one was committed, and this one is not.
                SQLException cause = SqlFaults.find(e.effect);
                if (cause == null || !SqlFaults.isRetryable(cause)) {
                    throw e;
                }
                if (n >= retries.attemptsMax()) {
                    throw translate(key, cause);
                }
            }
            metrics.retried(key.scope());
            retries.pause(n);
        }
    }

    /** @param last what the last try ended with, which may be the loss itself */
    private static RetryException inDoubt(Key key, SQLException doubt, Exception last) {
        RetryException told = new RetryException(
                "the connection was lost while key " + key
                        + " was applied, so it is not known whether it was; call again with the same key ("
                        + last.getMessage() + ")",
                last);
        if (!last.equals(doubt)) {
            told.addSuppressed(doubt);
        }
        return told;
    }

    private <R> R own(Key key, OnceSpec spec, Body<R> body) throws SQLException {
        Marker marker = resolve(key);
        body.prepare(marker);
        Connection connection = connections.borrow();
        try (connection) {
            boolean before = Connections.begin(connection);
            try {
                return inside(connection, marker, spec, body);
            } catch (Throwable failure) {
                Connections.rollback(connection, failure);
                throw failure;
            } finally {
                Connections.end(connection, before);
            }
        }
    }

    private <R> R inside(Connection connection, Marker marker, OnceSpec spec, Body<R> body) throws SQLException {
        Key key = marker.key();
        int marked = mark(connection, marker, spec);
        if (marked == Markers.NEW) {
            R result = guarded(spec.joined, () -> body.apply(connection, marker));
            metrics.once(key.scope(), Ending.APPLIED, 1);
            return result;
        }
        if (marked == Markers.IN_PROGRESS) {
            throw inProgress(key, "the caller chose not to wait");
        }
        checkSameRequest(connection, marker, spec.fingerprint);
        R result = body.replay(connection, marker);
        if (spec.joined == null) {
            // Nothing was written; ending that by a commit costs the server less than by a rollback.
            connection.commit();
        }
        metrics.once(key.scope(), Ending.REPLAYED, 1);
        return result;
    }

    private int mark(Connection connection, Marker marker, OnceSpec spec) throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        try {
            return markers.mark(connection, marker, spec, connections.deadlines());
        } catch (SQLException e) {
            if (SqlFaults.isUndefinedTable(e)) {
                markers.forget(marker);
            }
            if (SqlFaults.isWaitedTooLong(e)) {
                throw inProgress(marker.key(), "it was waited for " + spec.waitSeconds + " s");
            }
            throw e;
        } finally {
            metrics.markerNanos(marker.scope().name(), SystemSource.INSTANCE.nanos() - since);
        }
    }

    /**
     * Whether another transaction is applying the key at this moment, or has just done so. Asked on a connection of its own, by trying to mark it without waiting, and rolling that back.
     */
    boolean isInProgress(Marker marker) throws SQLException {
        try (Connection connection = connections.borrow()) {
            boolean before = Connections.begin(connection);
            try {
                return Markers.markAtOnce(connection, marker, null) != Markers.NEW;
            } finally {
                connection.rollback();
                Connections.end(connection, before);
            }
        }
    }

    static InProgressException inProgress(Key key, String waited) {
        return new InProgressException(
                key,
                "key " + key + " is being applied by another transaction at this moment, and " + waited
                        + ". Nothing was done; call again later with the same key for its answer");
    }

    void checkSameRequest(Connection connection, Marker marker, byte @Nullable [] fingerprint) throws SQLException {
        if (fingerprint != null && Fingerprints.differ(fingerprint, markers.storedFingerprint(connection, marker))) {
            throw Fingerprints.reused(marker.key());
        }
    }

    /** Runs the effect, writes what it gathered, keeps its answer, and commits a transaction of ours. */
    <T> T applyAndCommit(Connection connection, Marker marker, OnceSpec spec, Work<T> work, boolean keep)
            throws SQLException {
        ActiveTransaction tx = new ActiveTransaction(connection, shared);
        T value = effect(() -> work.apply(tx));
        if (keep) {
            outcomes.keep(connection, marker, value);
        }
        flush(tx, spec.joined == null);
        return value;
    }

    void flush(ActiveTransaction tx, boolean commit) throws SQLException {
        if (commit) {
            signals.published(tx.flushAndCommit());
        } else {
            tx.flush();
        }
    }

    /** The caller's effect. */
    @FunctionalInterface
    interface Work<T> {
        T apply(ActiveTransaction tx) throws Exception;
    }

    /** A call into the caller's code. */
    @FunctionalInterface
    interface Call<T> {
        T run() throws Exception;
    }

    static <T> T effect(Call<T> call) {
        try {
            return call.run();
        } catch (Throwable t) {
            throw new EffectFailure(t);
        }
    }

    /**
     * Runs what follows a marker. Where it fails in a joined transaction, that transaction is made to fail for good, by an error on purpose: its
     * marker is written, its effect is not whole, and the caller might swallow the exception and commit.
     */
    static <R> R guarded(@Nullable Connection joined, Attempt<R> afterMarker) throws SQLException {
        try {
            return afterMarker.run();
        } catch (Throwable failure) {
            if (joined != null) {
                doom(joined, failure);
            }
            throw failure;
        }
    }

    private static void doom(Connection joined, Throwable failure) {
        try (var statement = joined.createStatement()) {
            statement.execute("SELECT hapax.doom()");
        } catch (SQLException expected) {
            // HX002 from doom(), or 25P02 where the effect's own error has doomed it already, or the connection is
            // gone.
            failure.addSuppressed(expected);
        }
    }

    static RuntimeException translateJoined(Key key, SQLException e) {
        return SqlFaults.isUndefinedTable(e)
                ? new RetryException(
                        "a table that key " + key
                                + " needs was dropped meanwhile; call again with the same key, in a new"
                                + " transaction (" + e.getMessage() + ")",
                        e)
                : translate(key, e);
    }

    static RuntimeException translate(Key key, SQLException e) {
        if (SqlFaults.isUnreachable(e)) {
            return new RetryException(
                    "the database can't be reached, so it is not known whether key " + key
                            + " was applied; call again with the same key (" + e.getMessage() + ")",
                    e);
        }
        if (SqlFaults.isRolledBack(e)) {
            return new RetryException(
                    "the database rolled the transaction of key " + key + " back because of others (SQLState "
                            + e.getSQLState() + "); call again with the same key, in a new transaction",
                    e);
        }
        if (SqlFaults.isReadOnly(e)) {
            return new RetryException(
                    "the database takes no writes (a standby, or one that was told to only read), so key " + key
                            + " was not applied; call again with the same key (" + e.getMessage() + ")",
                    e);
        }
        return new StoreException(
                "the database refused the transaction of key " + key + " (SQLState " + e.getSQLState() + "): "
                        + e.getMessage() + ". Nothing was committed",
                e);
    }

    /** Throws what the effect threw, as it is: callers declare it by their own type parameter. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException asThrown(Throwable failure) throws E {
        throw (E) failure;
    }

    <T> Optional<T> findOutcome(Connection connection, Marker marker, Class<T> type) throws SQLException {
        return outcomes.find(connection, marker, type);
    }

    void checkPaused(String scope, Key key) {
        Projecting.refuse("an operation", key);
        pauses.checkScope(scope, key, metrics);
    }

    /** Whether what goes on without its caller must wait. */
    boolean isPaused(String scope) {
        return pauses.isScopePaused(scope) || pauses.isAllPaused();
    }

    Connections connections() {
        return connections;
    }

    Metrics metrics() {
        return metrics;
    }
}
