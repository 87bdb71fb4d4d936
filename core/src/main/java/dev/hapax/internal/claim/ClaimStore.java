package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.claim.Held.Identity;
import dev.hapax.internal.claim.Held.Told;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.RecentRepeats;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The SQL on one claim. Every write of an owner compares the token, in the statement that writes. The database's clock decides leases. Safe for use by many threads.
 */
final class ClaimStore {

    /** Names a claim whose token is still ours. */
    private static final String OURS = " WHERE scope = ? AND producer = ? AND key = ? AND token = ?";

    /** Each statement of a transaction sees what was committed before it. */
    private static final String READ_COMMITTED = "read committed";

    private final Settlements settlements;
    private final RecentRepeats repeats = new RecentRepeats();

    ClaimStore(Settlements settlements) {
        this.settlements = settlements;
    }

    /** What a first caller wants to be written. */
    record Intent(
            Key key,
            String owner,
            long leaseMillis,
            byte @Nullable [] fingerprint,
            @Nullable Encoded request) {}

    ClaimSql sql(Marker marker) throws SQLException {
        return ClaimSql.of(marker, ClaimSql.isAnswerInside(marker) ? null : settlements.outcomeDay(marker));
    }

    /**
     * Commits the intent with its first call, in one message to the server.
     *
     * @param connection in auto-commit mode
     * @return empty if the key is in flight or has come to its end
     */
    Optional<Held> begin(Connection connection, Marker marker, Intent intent) throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        ClaimSql sql = sql(marker);
        boolean matches = intent.fingerprint != null || intent.request != null;
        int scope = marker.scope().id();
        boolean guess = !matches && !repeats.areExpected(scope);
        try (PreparedStatement statement =
                connection.prepareStatement(matches ? sql.beginMatching : guess ? sql.beginNew : sql.begin)) {
            int next = bindTimed(statement, marker);
            statement.setString(next++, intent.owner);
            statement.setLong(next++, intent.leaseMillis);
            next = matches ? bindRequest(statement, next, intent) : next;
            next = guess ? next : bindIdentity(statement, next, marker);
            bindIdentity(statement, next, marker);
            statement.execute();
            long token;
            boolean looksTwice;
            try (ResultSet row = statement.getResultSet()) {
                if (!row.next()) {
                    repeats.met(scope);
                    return Optional.empty();
                }
                token = row.getLong(1);
                looksTwice = READ_COMMITTED.equals(row.getString(2));
            }
            statement.getMoreResults();
            boolean seen;
            try (ResultSet row = statement.getResultSet()) {
                seen = row.next();
            }
            boolean withdrawn = (seen || !looksTwice) && withdraw(connection, marker, intent.owner);
            // Seen is settled, even if there is nothing left to take back: somebody else has come upon it.
            if (seen || withdrawn) {
                repeats.met(scope);
                return Optional.empty();
            }
            repeats.notMet(scope);
            Held held = new Held(
                    Identity.of(marker, intent.key),
                    token,
                    intent.leaseMillis,
                    new Told(settlements.now(), intent.request, intent.fingerprint));
            held.attempts = 1;
            held.mayCall = true;
            lease(held, since);
            return Optional.of(held);
        }
    }

    /** Takes the intent back, if there is a marker by now. */
    private boolean withdraw(Connection connection, Marker marker, String owner) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(sql(marker).withdraw)) {
            delete.setString(bindIdentity(delete, 1, marker), owner);
            return delete.executeUpdate() > 0;
        }
    }

    /** Writes the intent alone, in the caller's transaction. */
    boolean submit(Connection connection, Marker marker, Intent intent) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(sql(marker).submit)) {
            int next = bindTimed(insert, marker);
            next = bindRequest(insert, next, intent);
            bindIdentity(insert, next, marker);
            return insert.executeUpdate() > 0;
        }
    }

    static void lease(Held held, long sinceNanos) {
        held.leasedUntilNanos = sinceNanos + TimeUnit.MILLISECONDS.toNanos(held.leaseMillis);
        held.calledNanos = sinceNanos;
    }

    Look look(Connection connection, Marker marker) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql(marker).look)) {
            bindIdentity(select, 1, marker);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return new Look(row.getBoolean(1) ? ended(row) : null, row.getString(7) == null ? null : row(row));
            }
        }
    }

    private static Look.Ended ended(ResultSet row) throws SQLException {
        String type = row.getString(4);
        byte[] body = row.getBytes(5);
        return new Look.Ended(
                Known.REFUSAL.equals(row.getString(2)),
                row.getBytes(3),
                type == null || body == null ? null : new Encoded(type, body),
                row.getObject(6, OffsetDateTime.class));
    }

    private static Look.Row row(ResultSet row) throws SQLException {
        return new Look.Row(
                row.getLong(7),
                row.getString(9),
                row.getBytes(10),
                instant(row, 11),
                row.getInt(8),
                row.getString(12),
                row.getObject(13, Long.class),
                row.getBoolean(14),
                row.getObject(15, OffsetDateTime.class).toInstant());
    }

    /** Commits that a next call is begun; false if the claim has another owner. */
    boolean beginAgain(Connection connection, Held held, ClaimState state) throws SQLException {
        long since = SystemSource.INSTANCE.nanos();
        held.state.to(state);
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.claim SET attempts = attempts + 1, called_at = clock_timestamp(),"
                        + " doubt_since = CASE WHEN CAST(? AS boolean) THEN doubt_since END,"
                        + " due_at = clock_timestamp() + ? * interval '1 millisecond'" + OURS)) {
            update.setBoolean(1, state == ClaimState.IN_DOUBT);
            update.setLong(2, held.leaseMillis);
            bindOurs(update, 3, held);
            if (update.executeUpdate() == 0) {
                return false;
            }
        }
        held.attempts++;
        held.state = state;
        held.doubtSince = state == ClaimState.IN_DOUBT ? held.doubtSince : null;
        held.mayCall = true;
        lease(held, since);
        return true;
    }

    /**
     * Lets the claim go until its time has come; false if it has another owner.
     *
     * @param waitMillis null for until a person decides
     */
    boolean putOff(Connection connection, Held held, @Nullable Long waitMillis) throws SQLException {
        ClaimState state = held.uncertain ? ClaimState.IN_DOUBT : ClaimState.CLAIMED;
        // A call that was committed as begun, and was not made, was not begun.
        int attempts = held.mayCall ? held.attempts - 1 : held.attempts;
        held.state.to(state);
        Known known = held.known;
        Encoded answer = known == null ? null : known.answer();
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.claim SET owner = NULL, attempts = ?, waits = ?, last_error = ?,"
                        + " called_at = CASE WHEN CAST(? AS boolean) THEN called_at END,"
                        + " doubt_since = CASE WHEN CAST(? AS boolean) THEN coalesce(doubt_since, clock_timestamp()) END,"
                        + " due_at = coalesce(clock_timestamp() + CAST(? AS bigint) * interval '1 millisecond', 'infinity'),"
                        // What a person has decided meanwhile is not overwritten by nothing.
                        + " answer_type = coalesce(?, answer_type), answer = coalesce(?, answer), refusal = coalesce(?, refusal)"
                        + OURS + " RETURNING doubt_since")) {
            update.setInt(1, attempts);
            update.setInt(2, held.waits);
            update.setString(3, held.lastError == null ? null : Reasons.cut(held.lastError));
            update.setBoolean(4, held.uncertain);
            update.setBoolean(5, held.uncertain);
            update.setObject(6, waitMillis, Types.BIGINT);
            update.setString(7, answer == null ? null : answer.type());
            update.setBytes(8, answer == null ? null : answer.body());
            update.setString(9, known == null ? null : known.refusal());
            bindOurs(update, 10, held);
            try (ResultSet row = update.executeQuery()) {
                if (!row.next()) {
                    return false;
                }
                held.attempts = attempts;
                held.state = state;
                held.doubtSince = instant(row, 1);
                return true;
            }
        }
    }

    /** Removes a claim that has certainly not happened; false if it has another owner. */
    boolean release(Connection connection, Held held) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM hapax.claim" + OURS)) {
            bindOurs(delete, 1, held);
            return delete.executeUpdate() > 0;
        }
    }

    /**
     * Removes the claim and writes marker and answer, in one statement.
     *
     * @return false if there is no claim with this token; nothing was written then
     * @throws SQLException also for a unique violation, if the key was applied by {@code once} meanwhile, which is a misuse
     */
    boolean settle(Connection connection, Held held, Known known) throws SQLException {
        held.state.to(known.state());
        Marker marker = held.marker;
        if (marker == null) {
            return release(connection, held);
        }
        ClaimSql sql = sql(marker);
        Encoded outcome = known.outcome();
        try (PreparedStatement statement = connection.prepareStatement(known.isRefusal() ? sql.refuse : sql.settle)) {
            int next = bindOurs(statement, 1, held);
            if (sql.keepsAnswers) {
                statement.setString(next, outcome.type());
                statement.setBytes(next + 1, outcome.body());
            }
            return statement.executeUpdate() > 0;
        }
    }

    static int bindOurs(PreparedStatement statement, int from, Held held) throws SQLException {
        statement.setInt(from, held.scope);
        statement.setInt(from + 1, held.producer);
        statement.setString(from + 2, held.key.id());
        statement.setLong(from + 3, held.token);
        return from + 4;
    }

    private static int bindIdentity(PreparedStatement statement, int from, Marker marker) throws SQLException {
        statement.setInt(from, marker.scope().id());
        statement.setInt(from + 1, marker.producer());
        statement.setString(from + 2, marker.key().id());
        return from + 3;
    }

    private static int bindRequest(PreparedStatement statement, int from, Intent intent) throws SQLException {
        Encoded request = intent.request;
        statement.setBytes(from, intent.fingerprint);
        statement.setString(from + 1, request == null ? null : request.type());
        statement.setBytes(from + 2, request == null ? null : request.body());
        return from + 3;
    }

    /** Binds scope, producer, key and the key's time, as a number: a driver makes a time a text by way of a calendar. */
    private static int bindTimed(PreparedStatement statement, Marker marker) throws SQLException {
        int next = bindIdentity(statement, 1, marker);
        Instant time = marker.key().time().orElse(null);
        if (time == null) {
            statement.setNull(next, Types.BIGINT);
        } else {
            statement.setLong(next, ChronoUnit.MICROS.between(Instant.EPOCH, time));
        }
        return next + 1;
    }

    static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
