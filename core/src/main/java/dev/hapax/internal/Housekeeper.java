package dev.hapax.internal;

import dev.hapax.internal.log.Lanes;
import dev.hapax.internal.log.LogWriter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the partitions of the coming days, drops those behind their retention, moves delayed messages that are due. Every process may do it at
 * once: each step is one that a second doer finds done, or leaves to the first. Safe for use by many threads.
 */
final class Housekeeper {

    private static final Logger LOG = LoggerFactory.getLogger(Housekeeper.class);

    /** Days that are created ahead: a service goes on for so long if nobody keeps house. */
    private static final int DAYS_AHEAD = 3;

    private static final int MOVED_AT_ONCE = 500;
    private static final String LOG_TREE = "log";

    private final Connections connections;
    private final Partitions partitions;
    private final DatabaseClock clock;
    private final LogWriter log;
    private final Signals signals;

    Housekeeper(Connections connections, Partitions partitions, DatabaseClock clock, LogWriter log, Signals signals) {
        this.connections = connections;
        this.partitions = partitions;
        this.clock = clock;
        this.log = log;
        this.signals = signals;
    }

    /** Moves delayed messages that are due, until none is or there is no time any more; returns how many. */
    int moveDue(BooleanSupplier goesOn) throws SQLException {
        int moved = 0;
        int last;
        do {
            last = connections.autoCommit(connection -> log.moveDue(connection, MOVED_AT_ONCE));
            moved += last;
            if (last > 0) {
                signals.published(Lanes.ALL);
            }
        } while (last == MOVED_AT_ONCE && goesOn.getAsBoolean());
        return moved;
    }

    /** Creates and drops partitions, and lets go of old beats; returns how many. */
    int keepPartitions() throws SQLException {
        int done = createPartitions();
        Map<String, Integer> trees = connections.autoCommit(Housekeeper::trees);
        Map<String, Set<Long>> existing = connections.autoCommit(Partitions::list);
        long today = clock.epochDay();
        for (Map.Entry<String, Integer> tree : trees.entrySet()) {
            // A day is kept for one day more than its retention; see hapax.drop_partition.
            for (long day : new ArrayList<>(existing.getOrDefault(tree.getKey(), Set.of()))) {
                if (day < today - tree.getValue() - 1) {
                    done += drop(tree.getKey(), day) ? 1 : 0;
                }
            }
        }
        return done
                + connections.autoCommit(connection -> {
                    partitions.refresh(connection);
                    return HistoryGuard.thinOut(connection);
                });
    }

    /** Creates the partitions of today and the coming days, where they are missing, and learns which there are; returns how many it created. */
    int createPartitions() throws SQLException {
        Map<String, Set<Long>> existing = connections.autoCommit(Partitions::list);
        int done = 0;
        long today = clock.epochDay();
        for (String tree : connections.autoCommit(Housekeeper::treesInUse)) {
            Set<Long> days = existing.getOrDefault(tree, Set.of());
            for (long day = today; day <= today + DAYS_AHEAD; day++) {
                done += !days.contains(day) && partitions.ensure(tree, day) ? 1 : 0;
            }
        }
        lookAtPartitions();
        return done;
    }

    /** Learns which days others have made, so that at midnight nobody has to ask in the middle of a transaction. */
    void lookAtPartitions() throws SQLException {
        connections.autoCommit(connection -> {
            partitions.refresh(connection);
            return connection;
        });
    }

    private boolean drop(String tree, long day) throws SQLException {
        String call = switch (tree) {
            case LOG_TREE -> "SELECT hapax.drop_log_day(CAST(? AS date))";
            // Kept for as long as one of its sagas is in flight.
            case "saga_step", "saga_ended" -> "SELECT hapax.drop_saga_day('" + tree + "', CAST(? AS date))";
            default -> "SELECT hapax.drop_partition('" + tree + "', CAST(? AS date))";
        };
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement select = connection.prepareStatement(call)) {
                    select.setString(1, Days.iso(day));
                    try (ResultSet row = select.executeQuery()) {
                        row.next();
                        boolean dropped = row.getBoolean(1);
                        if (dropped) {
                            LOG.info(
                                    "dropped the partition of {} of {}, which is behind its retention",
                                    Days.iso(day),
                                    tree);
                        }
                        return dropped;
                    }
                }
            });
        } catch (SQLException e) {
            if (!SqlFaults.isWaitedTooLong(e) && !SqlFaults.isRolledBack(e)) {
                throw e;
            }
            LOG.debug("the partition of {} of {} is in use; it is dropped later", Days.iso(day), tree);
            return false;
        }
    }

    private static Map<String, Integer> trees(Connection connection) throws SQLException {
        Map<String, Integer> trees = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT name, keep_days FROM hapax.tree")) {
            while (row.next()) {
                trees.put(row.getString(1), row.getInt(2));
            }
        }
        return trees;
    }

    /** The log, the trees of those classes that scopes have, and those of sagas where there are any: the others need no partitions. */
    private static Set<String> treesInUse(Connection connection) throws SQLException {
        List<String> trees = new ArrayList<>(List.of(LOG_TREE));
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT 'marker_' || marker_days FROM hapax.scope"
                        + " UNION SELECT 'outcome_' || outcome_days FROM hapax.scope"
                        + " UNION SELECT name FROM hapax.tree WHERE name LIKE 'saga%' AND EXISTS (SELECT FROM hapax.saga_definition)"
                        + " UNION SELECT 'two_phase' WHERE EXISTS (SELECT FROM hapax.two_phase)")) {
            while (row.next()) {
                trees.add(row.getString(1));
            }
        }
        return Set.copyOf(trees);
    }
}
