package dev.hapax.internal;

import dev.hapax.spi.Metrics;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out that the database has gone back in time.
 *
 * <p>The history is a row of beats, each with a number and a nonce. This remembers the newest that it has seen, and the newest of those that are kept for ever (the anchor). A beat that was seen and is
 * not there any more, or is there with another nonce, means that the commit which added it was lost, and so may others around it be. That stays visible when the numbers have grown past it again, and when
 * the database is another one. A beat that is older than the oldest of the recent ones may have been thinned out; then the anchor is asked.
 *
 * <p>What can't be found: a loss that lies wholly after the newest beat that anybody has seen, which is half a second of commits at most; and a loss from before the start of each process, where none
 * has a witness. Only what is asked of a database that takes writes counts: a standby may lag.
 *
 * <p>Used by the keeper's thread; the first look is made by the thread that opens the service.
 */
public final class HistoryGuard {

    private static final Logger LOG = LoggerFactory.getLogger(HistoryGuard.class);

    /** Kept at the end of the row, and the distance of those that are kept for ever. */
    static final long KEPT = 10_000;

    private static final Duration BETWEEN_BEATS = Duration.ofMillis(500);

    /**
     * The columns that a look asks for. A beat is to come when some transaction has come after the last one, and due when that is half a second ago or longer. The transaction's number is compared for
     * being another, not for being greater: in another cluster they begin anew.
     */
    static final String COLUMNS = "b.number, b.nonce, b.beat_at, a.number, a.nonce, seen.nonce, anchor.nonce,"
            + " CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) <> b.xid + 1,"
            + " NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";

    /** To be joined to one row. Two parameters: the numbers of {@link #seenNumber()} and {@link #anchorNumber()}. */
    static final String JOINS = " LEFT JOIN LATERAL (SELECT * FROM hapax.beat ORDER BY number DESC LIMIT 1) b ON true"
            + " LEFT JOIN hapax.beat a ON a.number = b.number - b.number % " + KEPT
            + " LEFT JOIN hapax.beat seen ON seen.number = ?"
            + " LEFT JOIN hapax.beat anchor ON anchor.number = ?";

    private static final String BEAT = "INSERT INTO hapax.beat (number) VALUES (?) ON CONFLICT DO NOTHING";

    /** For statements that are committed anyway, now and then, by themselves: the next beat if it is time for it, so that none has to follow them. */
    public static final String BEAT_IN_PASSING = "INSERT INTO hapax.beat (number) SELECT last.number + 1"
            + " FROM (SELECT number, beat_at FROM hapax.beat ORDER BY number DESC LIMIT 1) last"
            + " WHERE last.beat_at < clock_timestamp() - interval '500 milliseconds' ON CONFLICT DO NOTHING";

    /** Whoever is second finds it recorded: it waits for an operator, or was written down after this process last saw the former history. */
    private static final String RECORD =
            "WITH last AS (SELECT number, beat_at FROM hapax.beat WHERE beat_at <= ? AND number < ?"
                    + " ORDER BY number DESC LIMIT 1),"
                    + " found AS (INSERT INTO hapax.rewind (found_by, missing_number, missing_at, last_number, last_at)"
                    + " SELECT ?, ?, ?, last.number, last.beat_at FROM (VALUES (1)) one LEFT JOIN last ON true"
                    + " WHERE NOT EXISTS (SELECT FROM hapax.rewind WHERE accepted_at IS NULL OR found_at > ?)"
                    + " ON CONFLICT DO NOTHING RETURNING id)"
                    + " INSERT INTO hapax.paused (kind, name, reason, paused_by) SELECT 'CONSUMER', '" + Pauses.ALL
                    + "',"
                    + " 'the database has gone back in time (rewind ' || id || '); see ./hapax history show, and docs/guides/restore.md', ?"
                    + " FROM found ON CONFLICT DO NOTHING";

    private final String service;
    private final Metrics metrics;
    private final @Nullable HistoryWitness witness;
    private final Forgetting forgetting;
    private @Nullable Memory memory;
    private @Nullable Duration untilBeat;

    /** Lets go of all that was read from the history that is gone. */
    @FunctionalInterface
    interface Forgetting {
        void run() throws SQLException;
    }

    /**
     * A beat.
     *
     * @param at when it was added, by the database's clock
     */
    record Beat(long number, UUID nonce, Instant at) {}

    /**
     * What is remembered of the history.
     *
     * @param last the newest beat that was seen
     * @param anchor the newest that is kept for ever, as it was then; its time is not known
     * @param lookedAt when, by the database's clock
     */
    record Memory(Beat last, long anchorNumber, UUID anchorNonce, Instant lookedAt) {}

    /** What a look says about the history. */
    enum Verdict {
        /** It goes on. */
        GOES_ON,
        /** It goes on, and a beat is due. */
        BEAT_DUE,
        /** What was seen is gone; look again after {@link HistoryGuard#record}. */
        REWOUND
    }

    HistoryGuard(String service, Metrics metrics, @Nullable HistoryWitness witness, Forgetting forgetting) {
        this.service = service;
        this.metrics = metrics;
        this.witness = witness;
        this.forgetting = forgetting;
        this.memory = witness == null ? null : witness.remembered();
    }

    /** The beat whose presence is asked for; -1 for none. */
    long seenNumber() {
        return memory == null ? -1 : memory.last().number();
    }

    /** The anchor whose presence is asked for; -1 for none. */
    long anchorNumber() {
        return memory == null ? -1 : memory.anchorNumber();
    }

    /** Judges what a look found, and remembers it if the history goes on. */
    Verdict judge(ResultSet row, int column, OffsetDateTime now) throws SQLException {
        untilBeat = null;
        if (!row.getBoolean(column + 8) || row.getObject(column) == null) {
            // A standby, or a role that only reads; or somebody has emptied the table, which is for the schema's check.
            return Verdict.GOES_ON;
        }
        Beat newest = new Beat(
                row.getLong(column),
                row.getObject(column + 1, UUID.class),
                row.getObject(column + 2, OffsetDateTime.class).toInstant());
        if (!isContinued(
                newest.number(), row.getObject(column + 5, UUID.class), row.getObject(column + 6, UUID.class))) {
            return Verdict.REWOUND;
        }
        UUID anchor = row.getObject(column + 4, UUID.class);
        remember(new Memory(
                newest,
                anchor == null ? newest.number() : row.getLong(column + 3),
                anchor == null ? newest.nonce() : anchor,
                now.toInstant()));
        if (!row.getBoolean(column + 7)) {
            return Verdict.GOES_ON;
        }
        Duration left = BETWEEN_BEATS.minus(Duration.between(newest.at(), now));
        if (left.isNegative()) {
            return Verdict.BEAT_DUE;
        }
        untilBeat = left;
        return Verdict.GOES_ON;
    }

    /** How long after what was judged last a beat is due if nobody comes before; null if none is. */
    @Nullable
    Duration untilBeat() {
        return untilBeat;
    }

    private boolean isContinued(long newest, @Nullable UUID seen, @Nullable UUID anchor) {
        if (memory == null) {
            return true;
        }
        if (seen != null) {
            return seen.equals(memory.last().nonce());
        }
        boolean isThinnedOut = memory.last().number() <= newest - KEPT;
        return isThinnedOut && memory.anchorNonce().equals(anchor);
    }

    private void remember(Memory now) {
        memory = now;
        if (witness != null) {
            witness.remember(now);
        }
    }

    /** Adds the next beat, unless another process has just done so. */
    void beat(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(BEAT)) {
            insert.setLong(1, seenNumber() + 1);
            insert.executeUpdate();
        }
    }

    /** Before {@link #record}, and without a connection in hand: it takes its own. */
    void forget() throws SQLException {
        forgetting.run();
    }

    /** Writes down that the history was broken, pauses all consumers, and begins to remember anew. */
    void record(Connection connection) throws SQLException {
        Memory lost = memory;
        if (lost == null) {
            return;
        }
        OffsetDateTime missingAt = OffsetDateTime.ofInstant(lost.last().at(), ZoneOffset.UTC);
        try (PreparedStatement insert = connection.prepareStatement(RECORD)) {
            insert.setObject(1, missingAt);
            insert.setLong(2, lost.last().number());
            insert.setString(3, service);
            insert.setLong(4, lost.last().number());
            insert.setObject(5, missingAt);
            insert.setObject(6, OffsetDateTime.ofInstant(lost.lookedAt(), ZoneOffset.UTC));
            insert.setString(7, service);
            boolean isFirst = insert.executeUpdate() == 1;
            memory = null;
            metrics.rewound();
            if (isFirst) {
                LOG.error(
                        "the database has gone back in time: beat {} of {} is not there any more. Commits are lost, by a restore or a failover. All consumers are paused,"
                                + " until their sources have sent again what was lost and an operator runs ./hapax history accept (see ./hapax history show and docs/guides/restore.md)",
                        lost.last().number(),
                        lost.last().at());
            } else {
                LOG.warn(
                        "the database has gone back in time, as another process has recorded: beat {} of {} is not there any more; see ./hapax history show",
                        lost.last().number(),
                        lost.last().at());
            }
        }
    }

    /** Lets go of the beats that nobody needs. */
    static int thinOut(Connection connection) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM hapax.beat WHERE number % " + KEPT
                + " <> 0 AND number <= (SELECT max(number) FROM hapax.beat) - " + KEPT)) {
            return delete.executeUpdate();
        }
    }

    void close() {
        if (witness != null) {
            witness.close();
        }
    }
}
