package dev.hapax.internal.consume;

import dev.hapax.consume.Quarantine;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.log.Lanes;
import dev.hapax.log.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Held messages, as an operator sees them. Safe for use by many threads. */
public final class HeldQuarantine implements Quarantine {

    private static final Logger LOG = LoggerFactory.getLogger(HeldQuarantine.class);
    private static final int LIST_MAX = 10_000;

    private static final String WITH_BODY = select("body");

    /** A list of 10,000 payloads would not fit into a heap. */
    private static final String WITHOUT_BODY = select("CAST(NULL AS bytea)");

    private static final String DISCARDED =
            StoredMessage.COLUMNS + ", id, message_id, attempts, consumer, partition, body, envelope";

    /** Gone and written down in one statement. */
    private static final String DISCARD =
            "WITH gone AS (DELETE FROM hapax.held WHERE id = ? RETURNING *) INSERT INTO hapax.discarded (" + DISCARDED
                    + ", failure, why) SELECT " + DISCARDED + ", reason, ? FROM gone";

    private final Connections connections;

    public HeldQuarantine(Connections connections) {
        this.connections = connections;
    }

    private static String select(String body) {
        // To a person, a record of a broker lies in its partition.
        return "SELECT coalesce(partition, " + StoredMessage.COLUMNS.replaceFirst(",", "),") + ", message_id, " + body
                + ", id, attempts, consumer, state, held_at, next_at, reason FROM hapax.held";
    }

    private record Row(
            long id,
            String consumer,
            Message message,
            State state,
            int attempts,
            Instant heldAt,
            Instant nextAt,
            @Nullable String why)
            implements Held {

        static Row read(ResultSet row) throws SQLException {
            int attempts = row.getInt(15);
            return new Row(
                    row.getLong(14),
                    row.getString(16),
                    StoredMessage.read(row, Math.max(1, attempts)),
                    State.valueOf(row.getString(17)),
                    attempts,
                    row.getObject(18, OffsetDateTime.class).toInstant(),
                    row.getObject(19, OffsetDateTime.class).toInstant(),
                    row.getString(20));
        }

        @Override
        public Optional<String> reason() {
            return Optional.ofNullable(why);
        }
    }

    private <T> T asked(Connections.Work<T> work) {
        try {
            return connections.autoCommit(work);
        } catch (SQLException e) {
            throw SqlFaults.translate("held messages can't be reached", e);
        }
    }

    @Override
    public List<Held> list(String consumer, State state, int limit) {
        Checks.name("consumer", consumer);
        Checks.range("limit", limit, 1, LIST_MAX);
        return asked(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    WITHOUT_BODY + " WHERE consumer = ? AND state = ? ORDER BY held_at, id LIMIT ?")) {
                select.setString(1, consumer);
                select.setString(2, state.name());
                select.setInt(3, limit);
                List<Held> all = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        all.add(Row.read(row));
                    }
                }
                return all;
            }
        });
    }

    @Override
    public Optional<Held> show(long id) {
        return asked(connection -> {
            try (PreparedStatement select = connection.prepareStatement(WITH_BODY + " WHERE id = ?")) {
                select.setLong(1, id);
                try (ResultSet row = select.executeQuery()) {
                    return row.next() ? Optional.<Held>of(Row.read(row)) : Optional.<Held>empty();
                }
            }
        });
    }

    @Override
    public boolean retry(long id) {
        return retry("id = ?", statement -> statement.setLong(1, id)) == 1;
    }

    @Override
    public int retryAll(String consumer) {
        Checks.name("consumer", consumer);
        return retry("consumer = ?", statement -> statement.setString(1, consumer));
    }

    @FunctionalInterface
    private interface Binding {
        void bind(PreparedStatement statement) throws SQLException;
    }

    private int retry(String condition, Binding binding) {
        return asked(connection -> {
            try (PreparedStatement update = connection.prepareStatement(
                    "UPDATE hapax.held SET state = 'RETRY', attempts = 0, next_at = clock_timestamp() WHERE state = 'QUARANTINED' AND "
                            + condition)) {
                binding.bind(update);
                return update.executeUpdate();
            }
        });
    }

    @Override
    public boolean discard(long id, String reason) {
        Checks.text("reason", reason, 1000);
        try {
            boolean gone = connections.inTransaction(connection -> discard(connection, id, reason));
            if (gone) {
                LOG.warn("held message {} was discarded: {}", id, reason);
            }
            return gone;
        } catch (SQLException e) {
            throw SqlFaults.translate("held messages can't be reached", e);
        }
    }

    private static boolean discard(Connection connection, long id, String reason) throws SQLException {
        String consumer;
        int lane;
        String messageKey;
        try (PreparedStatement select =
                connection.prepareStatement("SELECT consumer, lane, message_key FROM hapax.held WHERE id = ?")) {
            select.setLong(1, id);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return false;
                }
                consumer = row.getString(1);
                lane = row.getInt(2);
                messageKey = row.getString(3);
            }
        }
        lockPosition(connection, consumer, lane);
        try (PreparedStatement delete = connection.prepareStatement(DISCARD)) {
            delete.setLong(1, id);
            delete.setString(2, reason);
            if (delete.executeUpdate() == 0) {
                return false;
            }
        }
        HeldStore.promote(connection, consumer, lane, messageKey);
        return true;
    }

    /** The position's row is locked first, as its owner does it: see {@link HeldStore}. */
    private static void lockPosition(Connection connection, String consumer, int lane) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(
                "WITH lane AS (SELECT FROM hapax.position"
                        + " WHERE consumer = ? AND lane = ? FOR UPDATE), partition AS (SELECT FROM hapax.kafka_position"
                        + " WHERE consumer = ? AND id = ? FOR UPDATE) SELECT (SELECT count(*) FROM lane) + (SELECT count(*) FROM partition)")) {
            lock.setString(1, consumer);
            lock.setInt(2, lane);
            lock.setString(3, consumer);
            lock.setInt(4, lane / Lanes.COUNT);
            lock.executeQuery().close();
        }
    }
}
