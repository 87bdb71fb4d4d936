package dev.hapax.internal.log;

import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Days;
import dev.hapax.internal.LastStatement;
import dev.hapax.internal.Partitions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes messages into the log, in one statement, as the last thing before the commit, or together with it.
 *
 * <p>Two orders matter. The transaction must own an xid before it draws a number, so that a reader who has seen a later number knows by the
 * snapshot whether this one can still appear; the marker (or the position) was written first, so it does. And numbers are drawn when all
 * locks of the effect are held, so that for one message key the order of numbers is the order of locks.
 */
public final class LogWriter {

    private static final String TREE = "log";

    private final Partitions partitions;
    private final DatabaseClock clock;
    private volatile Statements statements = new Statements(-1);

    public LogWriter(Partitions partitions, DatabaseClock clock) {
        this.partitions = partitions;
        this.clock = clock;
    }

    /** The statements for one day's partition. */
    private static final class Statements {

        private static final String COLUMNS =
                "lane, number, id, topic, message_key, type, scope, producer, key, key_time, trace, body";

        private final long day;
        private final LastStatement one;
        private final LastStatement many;

        private Statements(long day) {
            this.day = day;
            String into = "INSERT INTO " + Partitions.table(TREE, Math.max(day, 0)) + " (day, " + COLUMNS + ") ";
            String date = "DATE '" + Days.iso(Math.max(day, 0)) + "'";
            this.one = LastStatement.of(into + "VALUES (" + date
                    + ", ?, nextval(CAST(CAST(? AS text) AS regclass)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
            // Ordered inside, so that numbers are drawn outside in that order.
            this.many = LastStatement.of(
                    into + "SELECT " + date
                            + ", lane, nextval(CAST('hapax.lane_' || lane AS regclass)), id, topic, message_key,"
                            + " type, scope, producer, key, key_time, trace, body FROM (SELECT * FROM unnest(CAST(? AS smallint[]), CAST(? AS uuid[]),"
                            + " CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]),"
                            + " CAST(? AS timestamptz[]), CAST(? AS text[]), CAST(? AS bytea[])) WITH ORDINALITY"
                            + " AS m (lane, id, topic, message_key, type, scope, producer, key, key_time, trace, body, nth) ORDER BY nth) o");
        }
    }

    /**
     * Writes all of them; those with a due time in the future wait outside the log.
     *
     * @param commits whether the transaction is committed as well
     * @return the lanes of those that don't
     */
    public int write(Connection connection, List<Publication> publications, boolean commits) throws SQLException {
        Instant now = clock.instant();
        List<Publication> due = publications;
        if (publications.stream().anyMatch(p -> p.due() != null && p.due().isAfter(now))) {
            due = new ArrayList<>();
            List<Publication> delayed = new ArrayList<>();
            for (Publication p : publications) {
                (p.due() != null && p.due().isAfter(now) ? delayed : due).add(p);
            }
            delay(connection, delayed);
        }
        if (due.size() == 1) {
            writeOne(connection, due.getFirst(), commits);
        } else if (!due.isEmpty()) {
            writeMany(connection, due, commits);
        } else if (commits) {
            connection.commit();
        }
        int lanes = Lanes.NONE;
        for (Publication p : due) {
            lanes |= Lanes.set(Lanes.of(p.messageKey()));
        }
        return lanes;
    }

    /** A partition was found dropped or missing: ask again. */
    public void forget() {
        Statements current = statements;
        if (current.day >= 0) {
            partitions.forget(TREE, current.day);
        }
        statements = new Statements(-1);
    }

    /** Makes sure of today's partition while the caller holds no connection: one that is not known yet is asked for on another one. */
    public void prepare() throws SQLException {
        long day = clock.epochDay();
        if (statements.day != day && partitions.ensure(TREE, day)) {
            statements = new Statements(day);
        }
    }

    private Statements today() throws SQLException {
        long day = clock.epochDay();
        Statements current = statements;
        if (current.day != day) {
            if (!partitions.ensure(TREE, day)) {
                throw new IllegalStateException("the log has no partition for " + Days.iso(day)
                        + ", and the database refuses to create it: its clock and this one's differ by days");
            }
            current = new Statements(day);
            statements = current;
        }
        return current;
    }

    private void writeOne(Connection connection, Publication p, boolean commits) throws SQLException {
        short lane = Lanes.of(p.messageKey());
        try (PreparedStatement insert = connection.prepareStatement(today().one.text(commits))) {
            bind(insert, lane, p);
            insert.setString(2, "hapax.lane_" + lane);
            insert.executeUpdate();
        }
    }

    private void writeMany(Connection connection, List<Publication> all, boolean commits) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(today().many.text(commits))) {
            insert.setObject(1, column(connection, "int2", all, Short[]::new, p -> Lanes.of(p.messageKey())));
            insert.setObject(2, column(connection, "uuid", all, UUID[]::new, Publication::id));
            insert.setObject(3, column(connection, "text", all, String[]::new, Publication::topic));
            insert.setObject(4, column(connection, "text", all, String[]::new, Publication::messageKey));
            insert.setObject(5, column(connection, "text", all, String[]::new, Publication::type));
            insert.setObject(
                    6,
                    column(
                            connection,
                            "text",
                            all,
                            String[]::new,
                            p -> p.operation().scope()));
            insert.setObject(
                    7,
                    column(
                            connection,
                            "text",
                            all,
                            String[]::new,
                            p -> p.operation().producer().orElseThrow()));
            insert.setObject(
                    8,
                    column(
                            connection,
                            "text",
                            all,
                            String[]::new,
                            p -> p.operation().id()));
            insert.setObject(
                    9,
                    column(
                            connection,
                            "timestamptz",
                            all,
                            String[]::new,
                            p -> p.operation().time().map(Instant::toString).orElse(null)));
            insert.setObject(10, column(connection, "text", all, String[]::new, Publication::trace));
            insert.setObject(11, column(connection, "bytea", all, byte[][]::new, Publication::body));
            insert.executeUpdate();
        }
    }

    private static <T> java.sql.Array column(
            Connection connection,
            String type,
            List<Publication> all,
            java.util.function.IntFunction<@Nullable T[]> array,
            Function<Publication, @Nullable T> value)
            throws SQLException {
        @Nullable T[] values = array.apply(all.size());
        for (int i = 0; i < values.length; i++) {
            values[i] = value.apply(all.get(i));
        }
        return connection.createArrayOf(type, values);
    }

    /** Binds all but the second parameter: where the message goes, or when. */
    private static void bind(PreparedStatement insert, short lane, Publication p) throws SQLException {
        insert.setShort(1, lane);
        insert.setObject(3, p.id());
        insert.setString(4, p.topic());
        insert.setString(5, p.messageKey());
        insert.setString(6, p.type());
        insert.setString(7, p.operation().scope());
        insert.setString(8, p.operation().producer().orElseThrow());
        insert.setString(9, p.operation().id());
        setInstant(insert, 10, p.operation().time().orElse(null));
        insert.setString(11, p.trace());
        insert.setBytes(12, p.body());
    }

    private static void delay(Connection connection, List<Publication> all) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.delayed (lane, due_at, id, topic, message_key, type, scope, producer, key, key_time, trace, body)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (Publication p : all) {
                bind(insert, Lanes.of(p.messageKey()), p);
                setInstant(insert, 2, p.due());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /**
     * Moves messages that have fallen due into the log. Removing and inserting are one statement, so each moves once. One process does it at a time, and the lock is asked for before any row is
     * chosen and held until all have their numbers: with two at once, later messages of a key could get smaller numbers than earlier ones.
     *
     * @return how many; 0 as well if another process is doing it
     */
    public int moveDue(Connection connection, int limit) throws SQLException {
        Statements day = today();
        try (PreparedStatement move = connection.prepareStatement(
                "WITH due AS (DELETE FROM hapax.delayed WHERE id IN ("
                        + "SELECT id FROM hapax.delayed WHERE (SELECT pg_try_advisory_xact_lock(hashtextextended('hapax.delayed', 0)))"
                        + " AND due_at <= statement_timestamp() ORDER BY due_at, id LIMIT ? FOR UPDATE SKIP LOCKED)"
                        + " RETURNING *) INSERT INTO " + Partitions.table(TREE, day.day) + " (day, "
                        + Statements.COLUMNS + ")"
                        + " SELECT DATE '" + Days.iso(day.day)
                        + "', lane, nextval(CAST('hapax.lane_' || lane AS regclass)), id, topic,"
                        + " message_key, type, scope, producer, key, key_time, trace, body FROM (SELECT * FROM due ORDER BY due_at, id) o")) {
            move.setInt(1, limit);
            return move.executeUpdate();
        }
    }

    static void setInstant(PreparedStatement statement, int at, @Nullable Instant instant) throws SQLException {
        if (instant == null) {
            statement.setNull(at, Types.TIMESTAMP_WITH_TIMEZONE);
        } else {
            statement.setObject(at, OffsetDateTime.ofInstant(instant, ZoneOffset.UTC));
        }
    }
}
