package dev.hapax.internal.consume;

import dev.hapax.RetryException;
import dev.hapax.StoreException;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Relays;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the database keeps of relays: where their position is, and where they have found another history. Safe for use by many threads. */
public final class RelayStore implements Relays {

    private static final Logger LOG = LoggerFactory.getLogger(RelayStore.class);
    private static final int LIST_MAX = 10_000;

    private final Connections connections;

    public RelayStore(Connections connections) {
        this.connections = connections;
    }

    /** As {@link LogFeed#of}. */
    public static RelayStore of(ConsumerBuilder builder) {
        if (!(builder instanceof ConsumerSettings settings)) {
            throw new IllegalArgumentException("not a consumer of Hapax: " + builder.getClass());
        }
        return new RelayStore(settings.ground.connections());
    }

    /**
     * Where the position of a relay is kept.
     *
     * @param mode the name of its mode
     * @param cluster the broker's own name for itself; null if the position is in the database alone
     */
    public record Kept(
            String mode,
            @Nullable String cluster,
            @Nullable String topic,
            @Nullable String topicId) {}

    /** The identity of the log in this database. */
    public UUID logId() throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT id FROM hapax.log_identity");
                    ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException("hapax.log_identity has lost its row; the schema is damaged");
                }
                return row.getObject(1, UUID.class);
            }
        });
    }

    /** Empty if it has never run, or was made to forget. */
    public Optional<Kept> kept(String relay) throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT mode, cluster, topic, topic_id FROM hapax.relay WHERE name = ?")) {
                select.setString(1, relay);
                try (ResultSet row = select.executeQuery()) {
                    return row.next()
                            ? Optional.of(
                                    new Kept(row.getString(1), row.getString(2), row.getString(3), row.getString(4)))
                            : Optional.<Kept>empty();
                }
            }
        });
    }

    public void keep(String relay, Kept kept) throws SQLException {
        connections.autoCommit(connection -> {
            try (PreparedStatement upsert =
                    connection.prepareStatement("INSERT INTO hapax.relay (name, mode, cluster, topic, topic_id)"
                            + " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET mode = excluded.mode,"
                            + " cluster = excluded.cluster, topic = excluded.topic, topic_id = excluded.topic_id,"
                            + " changed_at = clock_timestamp()")) {
                upsert.setString(1, relay);
                upsert.setString(2, kept.mode());
                upsert.setString(3, kept.cluster());
                upsert.setString(4, kept.topic());
                upsert.setString(5, kept.topicId());
                return upsert.executeUpdate();
            }
        });
    }

    /** Notes breaks, once for each lane as long as one is open. */
    public void found(String relay, List<HistoryBreak> breaks) throws SQLException {
        connections.autoCommit(connection -> {
            for (HistoryBreak found : breaks) {
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO hapax.relay_break (relay, lane, after_number, until_number, expected, found)"
                                + " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (relay, lane) WHERE done_at IS NULL DO NOTHING")) {
                    insert.setString(1, relay);
                    insert.setInt(2, found.lane());
                    insert.setLong(3, found.after());
                    insert.setLong(4, found.until());
                    insert.setObject(5, found.expected());
                    insert.setObject(6, found.found());
                    insert.executeUpdate();
                }
            }
            return breaks;
        });
    }

    @Override
    public List<Break> breaks(int limit) {
        Checks.range("limit", limit, 1, LIST_MAX);
        return asked(connection -> list(connection, "ORDER BY id DESC LIMIT ?", select -> select.setInt(1, limit)));
    }

    /**
     * A break that a relay has not gone on from.
     *
     * @param compareTo up to where messages are compared with the topics; null until it has begun to
     */
    public record Open(Break known, @Nullable Long compareTo) {}

    /** Those of one relay. */
    public List<Open> open(String relay) throws SQLException {
        return connections.autoCommit(connection -> {
            List<Open> open = new ArrayList<>();
            for (Break known : list(
                    connection,
                    "WHERE relay = ? AND done_at IS NULL ORDER BY lane",
                    select -> select.setString(1, relay))) {
                open.add(new Open(known, compareTo(connection, known.id())));
            }
            return open;
        });
    }

    private static @Nullable Long compareTo(Connection connection, long id) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT compare_to FROM hapax.relay_break WHERE id = ?")) {
            select.setLong(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getObject(1, Long.class) : null;
            }
        }
    }

    /** Up to here messages are compared with the topics. */
    public void compareTo(Break known, long number) throws SQLException {
        connections.autoCommit(connection -> {
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE hapax.relay_break SET compare_to = ? WHERE id = ?")) {
                update.setLong(1, number);
                update.setLong(2, known.id());
                return update.executeUpdate();
            }
        });
    }

    /** The highest number that was drawn in a lane. */
    public long lastNumber(int lane) throws SQLException {
        return connections.autoCommit(connection -> LogReader.lastNumbers(connection)[lane]);
    }

    /** A lane in which all is done up to a number, and nothing above; its anchor is a message of this log. */
    public LaneMark markAt(int lane, long number) throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT number, id, published_at FROM hapax.log WHERE lane = ? AND number = ?")) {
                select.setInt(1, lane);
                select.setLong(2, number);
                try (ResultSet row = select.executeQuery()) {
                    LaneMark.Point anchor = row.next()
                            ? new LaneMark.Point(
                                    row.getLong(1),
                                    row.getObject(2, UUID.class),
                                    row.getObject(3, OffsetDateTime.class).toInstant())
                            : null;
                    return new LaneMark(lane, number, "{}", anchor, List.of());
                }
            }
        });
    }

    /** For each topic of the log, when the earliest message in a range of a lane entered it. */
    public Map<String, Instant> earliest(int lane, long after, long until) throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT topic, min(published_at) FROM hapax.log WHERE lane = ? AND number > ? AND number <= ? GROUP BY topic")) {
                select.setInt(1, lane);
                select.setLong(2, after);
                select.setLong(3, until);
                Map<String, Instant> earliest = new HashMap<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        earliest.put(
                                row.getString(1),
                                row.getObject(2, OffsetDateTime.class).toInstant());
                    }
                }
                return earliest;
            }
        });
    }

    @FunctionalInterface
    private interface Binding {
        void bind(PreparedStatement statement) throws SQLException;
    }

    private static List<Break> list(Connection connection, String condition, Binding binding) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT id, relay, lane, after_number, until_number, expected, found,"
                        + " found_at, decision, done_at IS NOT NULL FROM hapax.relay_break " + condition)) {
            binding.bind(select);
            List<Break> all = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    all.add(new Break(
                            row.getLong(1),
                            row.getString(2),
                            row.getInt(3),
                            row.getLong(4),
                            row.getLong(5),
                            row.getObject(6, UUID.class),
                            Optional.ofNullable(row.getObject(7, UUID.class)),
                            row.getObject(8, OffsetDateTime.class).toInstant(),
                            Optional.ofNullable(row.getString(9)).map(Decision::valueOf),
                            row.getBoolean(10)));
                }
            }
            return all;
        }
    }

    /** The relay has gone on behind these. */
    public void done(List<Open> breaks) throws SQLException {
        if (breaks.isEmpty()) {
            return;
        }
        connections.autoCommit(connection -> {
            try (PreparedStatement update = connection.prepareStatement(
                    "UPDATE hapax.relay_break SET done_at = clock_timestamp() WHERE id = ANY (CAST(? AS bigint[]))")) {
                update.setArray(
                        1,
                        connection.createArrayOf(
                                "int8",
                                breaks.stream().map(open -> open.known().id()).toArray()));
                return update.executeUpdate();
            }
        });
    }

    @Override
    public int decide(String relay, Decision decision, String by, String why) {
        Checks.name("relay", relay);
        Checks.text("by", by, 200);
        Checks.text("why", why, 1000);
        int decided = asked(connection -> {
            try (PreparedStatement update = connection.prepareStatement(
                    "UPDATE hapax.relay_break SET decision = ?, decided_by = ?, why = ?, decided_at = clock_timestamp()"
                            + " WHERE relay = ? AND decision IS NULL AND done_at IS NULL")) {
                update.setString(1, decision.name());
                update.setString(2, by);
                update.setString(3, why);
                update.setString(4, relay);
                return update.executeUpdate();
            }
        });
        if (decided > 0) {
            LOG.warn("relay {} goes on behind its breaks in {} lanes ({}): {}", relay, decided, decision, why);
        }
        return decided;
    }

    @Override
    public boolean forgetPosition(String relay) {
        Checks.name("relay", relay);
        boolean forgotten = asked(connection -> {
            try (PreparedStatement delete = connection.prepareStatement("DELETE FROM hapax.relay WHERE name = ?")) {
                delete.setString(1, relay);
                return delete.executeUpdate() == 1;
            }
        });
        if (forgotten) {
            LOG.warn("relay {} was made to forget where its position is kept", relay);
        }
        return forgotten;
    }

    private <T> T asked(Connections.Work<T> work) {
        try {
            return connections.autoCommit(work);
        } catch (SQLException e) {
            String message = "relays can't be asked for (SQLState " + e.getSQLState() + "): " + e.getMessage();
            throw SqlFaults.isRetryable(e) ? new RetryException(message, e) : new StoreException(message, e);
        }
    }
}
