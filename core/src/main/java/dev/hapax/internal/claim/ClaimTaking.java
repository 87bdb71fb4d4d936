package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.internal.Names.StoredScope;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.claim.Held.Identity;
import dev.hapax.internal.claim.Held.Told;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics.Claiming;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes claims ours that nobody works on, and extends the leases of those that are. Whoever takes a claim draws a new token, so that the one before is fenced. Safe for use by many threads.
 */
final class ClaimTaking {

    private static final String TAKE =
            "WITH due AS (SELECT scope, producer, key, called_at, owner FROM hapax.claim WHERE %s"
                    + " FOR UPDATE SKIP LOCKED)"
                    + " UPDATE hapax.claim c SET token = nextval('hapax.claim_token'), owner = ?,"
                    + " due_at = clock_timestamp() + ? * interval '1 millisecond', attempts = c.attempts + CASE WHEN c.called_at IS NULL THEN 1 ELSE 0 END,"
                    + " called_at = coalesce(c.called_at, clock_timestamp())"
                    + " FROM due d JOIN hapax.producer p ON p.id = d.producer"
                    + " WHERE c.scope = d.scope AND c.producer = d.producer AND c.key = d.key"
                    + " RETURNING c.producer, p.name, c.key, c.key_time, c.token, c.claimed_at, c.request_type, c.request, c.fingerprint,"
                    + " c.attempts, d.called_at IS NULL, c.waits, c.doubt_since, c.last_error, c.answer_type, c.answer, c.refusal,"
                    + " CAST(extract(epoch FROM clock_timestamp() - c.called_at) * 1000 AS bigint), d.owner IS NOT NULL";

    private static final String TAKE_ONE = TAKE.formatted(
            "scope = ? AND producer = ? AND key = ? AND (owner IS NULL OR owner = ? OR due_at <= statement_timestamp())");

    private static final String TAKE_DUE = TAKE.formatted(
            "scope = ? AND request_type IS NOT NULL" + " AND due_at <= statement_timestamp() ORDER BY due_at LIMIT ?");

    /** Rows that are locked are being written by their owners, so nobody can take them meanwhile; they are extended by the next round. */
    private static final String EXTEND =
            "UPDATE hapax.claim c SET due_at = clock_timestamp() + o.lease * interval '1 millisecond'"
                    + " FROM (SELECT w.token, w.lease, h.scope, h.producer, h.key FROM unnest(CAST(? AS int[]), CAST(? AS int[]),"
                    + " CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[])) AS w (scope, producer, key, token, lease)"
                    + " JOIN hapax.claim h ON h.scope = w.scope AND h.producer = w.producer AND h.key = w.key AND h.token = w.token"
                    + " FOR UPDATE OF h SKIP LOCKED) o"
                    + " WHERE c.scope = o.scope AND c.producer = o.producer AND c.key = o.key AND c.token = o.token RETURNING c.token";

    private final Settlements settlements;
    private final ClaimStore store;

    ClaimTaking(Settlements settlements, ClaimStore store) {
        this.settlements = settlements;
        this.store = store;
    }

    /**
     * Takes one claim that has no owner, or whose owner has been silent for longer than its lease, or that the same owner has taken before without hearing of it. It is taken as one that may have been called.
     *
     * @param connection in auto-commit mode
     * @param owner whose name no other has
     * @return empty if it is not to be had
     */
    Optional<Held> take(Connection connection, Marker marker, String owner, long leaseMillis) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TAKE_ONE)) {
            statement.setInt(1, marker.scope().id());
            statement.setInt(2, marker.producer());
            statement.setString(3, marker.key().id());
            statement.setString(4, owner);
            statement.setString(5, owner);
            statement.setLong(6, leaseMillis);
            List<Held> taken = read(statement, marker.scope(), leaseMillis);
            return withoutSettled(connection, taken).stream().findFirst();
        }
    }

    /**
     * Takes claims of one scope whose time has come and whose request is stored, in one statement.
     *
     * @param connection in auto-commit mode
     */
    List<Held> takeDue(Connection connection, StoredScope scope, String owner, long leaseMillis, int most)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TAKE_DUE)) {
            statement.setInt(1, scope.id());
            statement.setInt(2, most);
            statement.setString(3, owner);
            statement.setLong(4, leaseMillis);
            return withoutSettled(connection, read(statement, scope, leaseMillis));
        }
    }

    private List<Held> read(PreparedStatement statement, StoredScope scope, long leaseMillis) throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        List<Held> taken = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                taken.add(held(row, scope, leaseMillis, since));
            }
        }
        for (Held held : taken) {
            held.marker = settlements.placeAtEnd(held.key);
        }
        return taken;
    }

    private Held held(ResultSet row, StoredScope scope, long leaseMillis, long since) throws SQLException {
        Key key = settlements.asGiven(Key.of(scope.name(), row.getString(3)), row.getString(2));
        Instant time = ClaimStore.instant(row, 4);
        Held held = new Held(
                new Identity(time == null ? key : key.at(time), scope.id(), row.getInt(1), null),
                row.getLong(5),
                leaseMillis,
                new Told(
                        row.getObject(6, OffsetDateTime.class).toInstant(),
                        encoded(row.getString(7), row.getBytes(8)),
                        row.getBytes(9)));
        held.attempts = row.getInt(10);
        held.mayCall = row.getBoolean(11);
        held.uncertain = !held.mayCall;
        held.waits = row.getInt(12);
        held.doubtSince = ClaimStore.instant(row, 13);
        held.state = ClaimState.of(held.doubtSince);
        held.lastError = row.getString(14);
        Encoded answer = encoded(row.getString(15), row.getBytes(16));
        String refusal = row.getString(17);
        held.known = answer == null && refusal == null ? null : new Known(answer, answer == null ? refusal : null);
        ClaimStore.lease(held, since);
        held.calledNanos = since - TimeUnit.MILLISECONDS.toNanos(Math.max(0, row.getLong(18)));
        if (row.getBoolean(19)) {
            settlements.metrics().claim(scope.name(), Claiming.TAKEN_OVER);
        }
        return held;
    }

    private static @Nullable Encoded encoded(@Nullable String type, byte @Nullable [] body) {
        return type == null || body == null ? null : new Encoded(type, body);
    }

    /**
     * Lets go of claims whose key has a marker: the intent was committed by a transaction that did not see it yet, or the key was applied by {@code once} meanwhile. Nobody calls before this look, which is younger than the claim.
     */
    private List<Held> withoutSettled(Connection connection, List<Held> taken) throws SQLException {
        Map<String, List<Held>> byTable = new LinkedHashMap<>();
        for (Held held : taken) {
            Marker marker = held.marker;
            if (marker != null) {
                byTable.computeIfAbsent(marker.tableOrTimeless().name, t -> new ArrayList<>())
                        .add(held);
            }
        }
        Set<Held> settled = new HashSet<>();
        for (List<Held> one : byTable.values()) {
            settled.addAll(seen(connection, one));
        }
        for (Held held : settled) {
            store.release(connection, held);
        }
        return taken.stream().filter(held -> !settled.contains(held)).toList();
    }

    private List<Held> seen(Connection connection, List<Held> held) throws SQLException {
        Marker first = held.getFirst().marker;
        if (first == null) {
            return List.of();
        }
        try (PreparedStatement select = connection.prepareStatement(first.tableOrTimeless().findAll)) {
            select.setArray(
                    1,
                    connection.createArrayOf(
                            "int4", held.stream().map(h -> h.scope).toArray()));
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "int4", held.stream().map(h -> h.producer).toArray()));
            select.setArray(
                    3,
                    connection.createArrayOf(
                            "text", held.stream().map(h -> h.key.id()).toArray()));
            Set<List<Object>> found = new HashSet<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    found.add(List.of(row.getInt(1), row.getInt(2), row.getString(3)));
                }
            }
            return held.stream()
                    .filter(h -> found.contains(List.<Object>of(h.scope, h.producer, h.key.id())))
                    .toList();
        }
    }

    /** Puts off the ends of leases, and notes it. One that is not ours any more stays as it is. */
    void extend(Connection connection, List<Held> held) throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        try (PreparedStatement update = connection.prepareStatement(EXTEND)) {
            update.setArray(
                    1,
                    connection.createArrayOf(
                            "int4", held.stream().map(h -> h.scope).toArray()));
            update.setArray(
                    2,
                    connection.createArrayOf(
                            "int4", held.stream().map(h -> h.producer).toArray()));
            update.setArray(
                    3,
                    connection.createArrayOf(
                            "text", held.stream().map(h -> h.key.id()).toArray()));
            update.setArray(
                    4,
                    connection.createArrayOf(
                            "int8", held.stream().map(h -> h.token).toArray()));
            update.setArray(
                    5,
                    connection.createArrayOf(
                            "int8", held.stream().map(h -> h.leaseMillis).toArray()));
            Set<Long> extended = new HashSet<>();
            try (ResultSet row = update.executeQuery()) {
                while (row.next()) {
                    extended.add(row.getLong(1));
                }
            }
            for (Held one : held) {
                if (extended.contains(one.token)) {
                    one.leasedUntilNanos = since + TimeUnit.MILLISECONDS.toNanos(one.leaseMillis);
                }
            }
        }
    }
}
