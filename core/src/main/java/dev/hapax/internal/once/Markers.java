package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Days;
import dev.hapax.internal.Deadlines;
import dev.hapax.internal.Names;
import dev.hapax.internal.Names.StoredScope;
import dev.hapax.internal.Partitions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** All SQL on markers, but for batches. Safe for use by many threads. */
final class Markers {

    /** What {@link #mark} answers. */
    static final int NEW = 1;

    static final int SEEN = 0;
    static final int IN_PROGRESS = -1;

    private final Names names;
    private final Partitions partitions;
    private final DatabaseClock clock;
    private final String service;
    private final Duration tolerance;
    private final Map<String, Map<Long, MarkerTable>> tables = new ConcurrentHashMap<>();

    Markers(Names names, Partitions partitions, DatabaseClock clock, String service, Duration tolerance) {
        this.names = names;
        this.partitions = partitions;
        this.clock = clock;
        this.service = service;
        this.tolerance = tolerance;
    }

    /**
     * Finds where the key's marker lies.
     *
     * @throws TooLateException if the key is older than its scope's window, or its day has been dropped
     * @throws TooEarlyException if its time lies in the future
     */
    Marker resolve(Key key) throws SQLException {
        StoredScope scope = names.scope(key.scope());
        int producer = names.producer(key.producer().orElse(service));
        Optional<Instant> time = key.time();
        if (time.isEmpty()) {
            return new Marker(key, scope, producer, Marker.TIMELESS, null);
        }
        long millis = time.get().toEpochMilli();
        long age = clock.millis() - millis;
        if (age > scope.windowMillis()) {
            throw tooLate(key, scope);
        }
        if (-age > tolerance.toMillis()) {
            throw new TooEarlyException(
                    key,
                    "the time of key " + key + ", " + time.get() + ", is " + Duration.ofMillis(-age)
                            + " ahead of the database's clock; " + tolerance
                            + " are tolerated. It was not applied. Correct the clock of whoever made the key");
        }
        long day = Days.of(millis);
        if (!partitions.ensure(scope.markers(), day)) {
            throw tooLate(key, scope);
        }
        return new Marker(key, scope, producer, day, table(scope.markers(), day));
    }

    private static TooLateException tooLate(Key key, StoredScope scope) {
        return new TooLateException(
                key,
                "key " + key + " is of " + key.time().orElseThrow() + ", which is older than the window of scope "
                        + scope.name() + " (" + Duration.ofMillis(scope.windowMillis())
                        + "): whether it was applied is no longer known, so it was not applied now."
                        + " Find out at its source, or set it aside");
    }

    private MarkerTable table(String tree, long day) {
        Map<Long, MarkerTable> days = tables.computeIfAbsent(tree, t -> new ConcurrentHashMap<>());
        MarkerTable known = days.get(day);
        return known != null ? known : days.computeIfAbsent(day, d -> MarkerTable.of(tree, d));
    }

    /** Forgets a partition that a statement found dropped; the next {@link #resolve} asks the database. */
    void forget(Marker marker) {
        if (!marker.isTimeless()) {
            partitions.forget(marker.scope().markers(), marker.day());
            Map<Long, MarkerTable> days = tables.get(marker.scope().markers());
            if (days != null) {
                days.remove(marker.day());
            }
        }
    }

    /**
     * Writes the marker in the connection's transaction.
     *
     * @param spec says, among other things, how long to wait for another transaction on this key
     * @return {@link #NEW}, {@link #SEEN}, or {@link #IN_PROGRESS} (only without waiting)
     */
    int mark(Connection connection, Marker marker, OnceSpec spec, Deadlines deadlines) throws SQLException {
        byte @Nullable [] fingerprint = spec.fingerprint;
        if (spec.waitSeconds == 0) {
            return markAtOnce(connection, marker, fingerprint);
        }
        MarkerTable table = marker.tableOrTimeless();
        try (PreparedStatement insert =
                connection.prepareStatement(fingerprint == null ? table.insert : table.insertMatching)) {
            bind(insert, 1, marker);
            if (fingerprint != null) {
                insert.setBytes(4, fingerprint);
            }
            try (var watch = deadlines.watch(insert, spec.waitSeconds)) {
                return insert.executeUpdate();
            }
        }
    }

    static int markAtOnce(Connection connection, Marker marker, byte @Nullable [] fingerprint) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT hapax.mark_at_once(CAST(? AS regclass), ?, ?, CAST(? AS date), ?, ?)")) {
            bindAtOnce(select, marker, fingerprint);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Binds the parameters of {@code hapax.mark_at_once}; returns the next free one. */
    static int bindAtOnce(PreparedStatement statement, Marker marker, byte @Nullable [] fingerprint)
            throws SQLException {
        statement.setString(1, marker.tableOrTimeless().name);
        statement.setInt(2, marker.scope().id());
        statement.setInt(3, marker.producer());
        statement.setString(4, marker.dayText());
        statement.setString(5, marker.key().id());
        statement.setBytes(6, fingerprint);
        return 7;
    }

    /** Binds scope, producer and key; returns the next free parameter. */
    static int bind(PreparedStatement statement, int from, Marker marker) throws SQLException {
        statement.setInt(from, marker.scope().id());
        statement.setInt(from + 1, marker.producer());
        statement.setString(from + 2, marker.key().id());
        return from + 3;
    }

    /** What is stored for a key that was seen; the fingerprint is null where the first call gave none. */
    byte @Nullable [] storedFingerprint(Connection connection, Marker marker) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(marker.tableOrTimeless().find)) {
            bind(select, 1, marker);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getBytes(1) : null;
            }
        }
    }
}
