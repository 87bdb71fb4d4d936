package dev.hapax.internal.consume;

import dev.hapax.consume.Consumers;
import dev.hapax.consume.Move;
import dev.hapax.consume.SourcePosition;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Consumers, as rows. Safe for use by many threads. */
public final class StoredConsumers implements Consumers {

    private static final Logger LOG = LoggerFactory.getLogger(StoredConsumers.class);

    private final Connections connections;
    private final Seeks seeks;

    public StoredConsumers(Connections connections) {
        this.connections = connections;
        this.seeks = new Seeks(connections);
    }

    @Override
    public List<SourcePosition> positions(String consumer) {
        return seeks.positions(Checks.name("consumer", consumer));
    }

    @Override
    public Optional<Move> seek(String consumer, Start to, Consequences consequences) {
        return seeks.lanes(Checks.name("consumer", consumer), to, false, consequences);
    }

    @Override
    public Optional<Move> replay(String consumer, Start from, Consequences consequences) {
        return seeks.lanes(Checks.name("consumer", consumer), from, true, consequences);
    }

    @Override
    public Optional<Move> seek(
            String consumer, Map<SourcePartition, Long> to, Map<String, UUID> topics, Consequences consequences) {
        return seeks.partitions(Checks.name("consumer", consumer), to, topics, false, consequences);
    }

    @Override
    public Optional<Move> replay(
            String consumer, Map<SourcePartition, Long> from, Map<String, UUID> topics, Consequences consequences) {
        return seeks.partitions(Checks.name("consumer", consumer), from, topics, true, consequences);
    }

    @Override
    public Optional<Forgotten> forget(String consumer, HeldMessages held) {
        Checks.name("consumer", consumer);
        try {
            Forgotten forgotten = connections.inTransaction(connection -> forget(connection, consumer, held));
            if (forgotten.lanes() == 0) {
                return Optional.empty();
            }
            LOG.info("consumer {} was forgotten, with {} held messages", consumer, forgotten.held());
            return Optional.of(forgotten);
        } catch (SQLException e) {
            throw SqlFaults.translate("the consumer could not be forgotten", e);
        }
    }

    private static Forgotten forget(Connection connection, String consumer, HeldMessages wanted) throws SQLException {
        // The positions first, as their owner does it: who wants to take one waits here, and then finds none.
        long lanes = number(
                connection,
                "SELECT count(*) FROM (SELECT FROM hapax.position WHERE consumer = ? ORDER BY lane FOR UPDATE) locked",
                consumer);
        lanes += number(
                connection,
                "SELECT count(*) FROM (SELECT FROM hapax.kafka_position WHERE consumer = ? ORDER BY id FOR UPDATE) locked",
                consumer);
        long running = number(
                connection,
                "SELECT coalesce(ceil(extract(epoch FROM max(until) - clock_timestamp())), 0) FROM ("
                        + "SELECT leased_until AS until FROM hapax.position WHERE consumer = ? AND owner IS NOT NULL"
                        + " UNION ALL SELECT seen_until FROM hapax.member WHERE consumer = ?) one",
                consumer,
                consumer);
        Checks.state(
                running <= 0,
                "consumer %s is still run by a process; stop it first (a process that was killed counts for its lease, %d s from now)",
                consumer,
                running);
        long held = number(connection, "SELECT count(*) FROM hapax.held WHERE consumer = ?", consumer);
        Checks.state(
                held == 0 || wanted == HeldMessages.LOSE,
                "consumer %s holds %d messages whose effects are not applied; they would be lost",
                consumer,
                held);
        for (String table : new String[] {"held", "member", "position", "kafka_position"}) {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM hapax." + table + " WHERE consumer = ?")) {
                delete.setString(1, consumer);
                delete.executeUpdate();
            }
        }
        return new Forgotten((int) lanes, held);
    }

    private static long number(Connection connection, String sql, String... parameters) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                select.setString(i + 1, parameters[i]);
            }
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
