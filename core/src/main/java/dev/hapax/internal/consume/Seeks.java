package dev.hapax.internal.consume;

import dev.hapax.consume.Consumers.Consequences;
import dev.hapax.consume.Move;
import dev.hapax.consume.Move.Step;
import dev.hapax.consume.SourcePosition;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves positions by an operator's word. The row is locked before anything is decided, and its token or epoch grows with the move: whoever is at work on it waits, and then finds that it is no longer
 * its own. Safe for use by many threads.
 */
final class Seeks {

    private static final Logger LOG = LoggerFactory.getLogger(Seeks.class);
    private static final int TRIES = 5;

    /** What is done of a position whose next number is {@code next}, from {@code to} on, and what is not done below it. */
    private static final String COUNTS = " greatest(0, %1$s - v.goal)"
            + " + coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(p.done * int8multirange(int8range(v.goal, NULL))) r), 0),"
            + " greatest(0, v.goal - %1$s)"
            + " - coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(p.done * int8multirange(int8range(NULL, v.goal))) r), 0)";

    private static final String LANES = "SELECT p.lane, p.deduplicates, p.low + 1, v.goal, p.done <> '{}',"
            + String.format(COUNTS, "(p.low + 1)")
            + ", (SELECT count(*) FROM hapax.held h WHERE h.consumer = p.consumer AND h.lane = p.lane AND h.number >= v.goal AND "
            + inLog("h") + ")"
            + " FROM hapax.position p JOIN (SELECT lane, low + 1 AS goal FROM %s) v ON v.lane = p.lane"
            + " WHERE p.consumer = ? ORDER BY p.lane FOR UPDATE OF p";

    private static final String PARTITIONS =
            "SELECT p.id, p.deduplicates, p.next_offset, v.goal, p.done <> '{}' OR p.stopped IS NOT NULL,"
                    + String.format(COUNTS, "p.next_offset")
                    + ", (SELECT count(*) FROM hapax.held h WHERE h.consumer = p.consumer AND h.lane / " + Lanes.COUNT
                    + " = p.id AND h.number >= v.goal), p.topic, p.partition, p.topic_id"
                    + " FROM hapax.kafka_position p JOIN unnest(CAST(? AS text[]), CAST(? AS int[]), CAST(? AS bigint[])) AS v (topic, partition, goal)"
                    + " ON v.topic = p.topic AND v.partition = p.partition WHERE p.consumer = ? ORDER BY p.id FOR UPDATE OF p";

    private final Connections connections;

    Seeks(Connections connections) {
        this.connections = connections;
    }

    /** Whether a held message can be read again: its day may have been dropped. */
    private static String inLog(String held) {
        return "EXISTS (SELECT FROM hapax.log g WHERE g.lane = " + held + ".lane AND g.number = " + held + ".number)";
    }

    List<SourcePosition> positions(String consumer) {
        try {
            return connections.autoCommit(connection -> positions(connection, consumer));
        } catch (SQLException e) {
            throw SqlFaults.translate("positions can't be read", e);
        }
    }

    private static List<SourcePosition> positions(Connection connection, String consumer) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT topic, partition, next_offset, end_offset, topic_id, deduplicates, stopped FROM hapax.kafka_position"
                        + " WHERE consumer = ? ORDER BY topic, partition")) {
            select.setString(1, consumer);
            List<SourcePosition> all = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    all.add(new SourcePosition(
                            new SourcePartition(row.getString(1), row.getInt(2)),
                            row.getLong(3),
                            row.getLong(4),
                            Optional.ofNullable(row.getObject(5, UUID.class)),
                            row.getBoolean(6),
                            Optional.ofNullable(row.getString(7))));
                }
            }
            return all;
        }
    }

    /** What was found of one position, under its lock. */
    private record Found(int id, boolean deduplicates, boolean isTorn, Step step) {

        static Found read(ResultSet row, String place) throws SQLException {
            Step step = new Step(place, row.getLong(3), row.getLong(4), row.getLong(6), row.getLong(7), row.getLong(8));
            return new Found(row.getInt(1), row.getBoolean(2), row.getBoolean(5), step);
        }

        /** Whether there is anything to do. One that has stopped, or of which a part is done further on, is moved also to where it is. */
        boolean moves(boolean backOnly) {
            return backOnly ? step.to() < step.from() : step.to() != step.from() || isTorn;
        }
    }

    /** What is done in one transaction. */
    private interface Attempt {
        Optional<Move> in(Connection connection) throws SQLException;
    }

    /** Others lock what is held in another order, so the database may have to break a tie. */
    private Optional<Move> attempt(String consumer, Consequences consequences, Attempt attempt) {
        for (int tries = 1; ; tries++) {
            try {
                Optional<Move> move = connections.inTransaction(attempt::in);
                if (consequences != Consequences.PREVIEW) {
                    move.ifPresent(done -> LOG.info("consumer {} was moved: {}", consumer, done));
                }
                return move;
            } catch (SQLException e) {
                if (tries == TRIES || !SqlFaults.isRolledBack(e)) {
                    throw SqlFaults.translate("the consumer could not be moved", e);
                }
            }
        }
    }

    private static Move decided(String consumer, List<Found> moving, Consequences consequences) {
        Move move = new Move(
                moving.stream().allMatch(Found::deduplicates),
                moving.stream().map(Found::step).toList());
        Checks.state(
                consequences != Consequences.REFUSE || move.isHarmless(),
                "consumer %s would apply up to %d messages again, and up to %d never; nothing was moved",
                consumer,
                move.appliedAgain(),
                move.skipped());
        return move;
    }

    Optional<Move> lanes(String consumer, Start to, boolean backOnly, Consequences consequences) {
        return attempt(consumer, consequences, connection -> {
            refuseRelay(connection, consumer);
            List<Found> found = lanes(connection, consumer, to);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            List<Found> moving =
                    found.stream().filter(one -> one.moves(backOnly)).toList();
            Move move = decided(consumer, moving, consequences);
            if (consequences != Consequences.PREVIEW) {
                for (Found one : moving) {
                    moveLane(connection, consumer, one);
                }
            }
            return Optional.of(move);
        });
    }

    /** A relay's position lies with what it publishes; the row here is a copy. */
    private static void refuseRelay(Connection connection, String consumer) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT EXISTS (SELECT FROM hapax.relay WHERE name = ?)")) {
            select.setString(1, consumer);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                Checks.state(
                        !row.getBoolean(1),
                        "%s is a relay: moving it would publish messages again, or never; start a relay under another name instead",
                        consumer);
            }
        }
    }

    private static List<Found> lanes(Connection connection, String consumer, Start to) throws SQLException {
        String goals = to instanceof Start.Beginning
                ? "(SELECT lane, CAST(0 AS bigint) AS low FROM generate_series(0, " + (Lanes.COUNT - 1) + ") AS lane) b"
                : "hapax.numbers_before(CAST(? AS timestamptz)) b";
        try (PreparedStatement select = connection.prepareStatement(LANES.replace("FROM %s)", "FROM " + goals + ")"))) {
            int i = 1;
            if (to instanceof Start.At at) {
                select.setString(
                        i++,
                        OffsetDateTime.ofInstant(at.instant(), ZoneOffset.UTC).toString());
            } else if (to instanceof Start.Now) {
                select.setString(i++, "infinity");
            }
            select.setString(i, consumer);
            List<Found> found = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    found.add(Found.read(row, "lane " + row.getInt(1)));
                }
            }
            return found;
        }
    }

    /** Its owner finds that it is no longer its own, and whoever takes it next reads on from here. */
    private static void moveLane(Connection connection, String consumer, Found found) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.position SET low = ?, done = '{}', token = token + 1, owner = NULL, leased_until = '-infinity', deaths = 0,"
                        + " moved_at = clock_timestamp() WHERE consumer = ? AND lane = ?")) {
            update.setLong(1, found.step().to() - 1);
            update.setString(2, consumer);
            update.setInt(3, found.id());
            update.executeUpdate();
        }
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM hapax.held h WHERE h.consumer = ? AND h.lane = ? AND h.number >= ? AND " + inLog("h"))) {
            delete.setString(1, consumer);
            delete.setInt(2, found.id());
            delete.setLong(3, found.step().to());
            delete.executeUpdate();
        }
    }

    /** A position in a partition, and which topic is meant. */
    private record FoundPartition(Found found, SourcePartition name, Optional<UUID> known, Optional<UUID> now) {

        void check(String consumer) {
            Checks.state(
                    found.step().held() == 0 || now.isPresent(),
                    "consumer %s holds %d messages of %s at %d or above; ask the broker whether they are still there, or retry or discard them first",
                    consumer,
                    found.step().held(),
                    name,
                    found.step().to());
            Checks.state(
                    found.step().held() == 0 || known.isEmpty() || known.equals(now),
                    "consumer %s holds %d messages of a topic %s that was deleted; retry or discard them first",
                    consumer,
                    found.step().held(),
                    name.topic());
        }
    }

    Optional<Move> partitions(
            String consumer,
            Map<SourcePartition, Long> to,
            Map<String, UUID> topics,
            boolean backOnly,
            Consequences consequences) {
        to.forEach((partition, number) ->
                Checks.that(number >= 0, "a position can't be negative; that of %s was %d", partition, number));
        return attempt(consumer, consequences, connection -> {
            List<SourcePosition> all = positions(connection, consumer);
            if (all.isEmpty()) {
                return Optional.empty();
            }
            checkKnown(consumer, to.keySet(), all);
            List<FoundPartition> moving = partitions(connection, consumer, to, topics).stream()
                    .filter(one -> one.found().moves(backOnly))
                    .toList();
            moving.forEach(one -> one.check(consumer));
            Move move =
                    decided(consumer, moving.stream().map(FoundPartition::found).toList(), consequences);
            if (consequences != Consequences.PREVIEW) {
                for (FoundPartition one : moving) {
                    movePartition(connection, consumer, one);
                }
            }
            return Optional.of(move);
        });
    }

    private static void checkKnown(String consumer, Set<SourcePartition> wanted, List<SourcePosition> all) {
        Set<SourcePartition> unknown = new HashSet<>(wanted);
        all.forEach(position -> unknown.remove(position.partition()));
        Checks.that(
                unknown.isEmpty(),
                "consumer %s has no position in %s; it has %s",
                consumer,
                unknown,
                all.stream().map(SourcePosition::partition).toList());
    }

    private static List<FoundPartition> partitions(
            Connection connection, String consumer, Map<SourcePartition, Long> to, Map<String, UUID> topics)
            throws SQLException {
        List<SourcePartition> names = List.copyOf(to.keySet());
        try (PreparedStatement select = connection.prepareStatement(PARTITIONS)) {
            select.setArray(
                    1,
                    connection.createArrayOf(
                            "text", names.stream().map(SourcePartition::topic).toArray()));
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "int4",
                            names.stream().map(SourcePartition::partition).toArray()));
            select.setArray(
                    3,
                    connection.createArrayOf("int8", names.stream().map(to::get).toArray()));
            select.setString(4, consumer);
            List<FoundPartition> found = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    SourcePartition name = new SourcePartition(row.getString(9), row.getInt(10));
                    found.add(new FoundPartition(
                            Found.read(row, name.toString()),
                            name,
                            Optional.ofNullable(row.getObject(11, UUID.class)),
                            Optional.ofNullable(topics.get(name.topic()))));
                }
            }
            return found;
        }
    }

    /** The owner stays, so that it sees that it was moved and not taken over. */
    private static void movePartition(Connection connection, String consumer, FoundPartition one) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.kafka_position SET next_offset = ?, done = '{}', topic_id = ?, stopped = NULL, epoch = epoch + 1, deaths = 0,"
                        + " moved_at = clock_timestamp() WHERE id = ?")) {
            update.setLong(1, one.found().step().to());
            update.setObject(2, one.now().orElse(null), java.sql.Types.OTHER);
            update.setInt(3, one.found().id());
            update.executeUpdate();
        }
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM hapax.held WHERE consumer = ? AND lane / " + Lanes.COUNT + " = ? AND number >= ?")) {
            delete.setString(1, consumer);
            delete.setInt(2, one.found().id());
            delete.setLong(3, one.found().step().to());
            delete.executeUpdate();
        }
    }
}
