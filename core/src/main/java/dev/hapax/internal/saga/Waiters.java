package dev.hapax.internal.saga;

import dev.hapax.RetryException;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Threads that wait for the end of a saga. All of them together cost one question a round. Safe for use by many threads. */
final class Waiters {

    private final Connections connections;
    private final Map<UUID, List<CountDownLatch>> waiting = new ConcurrentHashMap<>();

    Waiters(Connections connections) {
        this.connections = connections;
    }

    /** What is known of a saga. */
    record Known(
            SagaState state,
            @Nullable String reason,
            @Nullable Encoded result) {

        boolean isOver() {
            return state.isEnd() || state == SagaState.STUCK;
        }
    }

    /** @throws IllegalArgumentException if nothing is known of it */
    Known await(UUID id, Duration within) {
        long deadline = SystemSource.INSTANCE.nanos() + within.toNanos();
        while (true) {
            // Announced before it is looked: what ends after the look is heard.
            CountDownLatch change = new CountDownLatch(1);
            waiting.computeIfAbsent(id, i -> new CopyOnWriteArrayList<>()).add(change);
            try {
                Known known = look(id);
                long left = deadline - SystemSource.INSTANCE.nanos();
                if (known.isOver() || left <= 0) {
                    return known;
                }
                if (!change.await(left, TimeUnit.NANOSECONDS)) {
                    return look(id);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RetryException("interrupted while waiting for a saga, which goes on", e);
            } finally {
                waiting.computeIfPresent(id, (i, all) -> {
                    all.remove(change);
                    return all.isEmpty() ? null : all;
                });
            }
        }
    }

    /** It has ended, or is stuck. */
    void changed(UUID id) {
        List<CountDownLatch> all = waiting.get(id);
        if (all != null) {
            all.forEach(CountDownLatch::countDown);
        }
    }

    /** Asks for all of them at once, and wakes those whose saga has ended elsewhere. */
    void ask(Connection connection) throws SQLException {
        if (waiting.isEmpty()) {
            return;
        }
        Set<UUID> over = new HashSet<>(waiting.keySet());
        try (PreparedStatement select =
                connection.prepareStatement("SELECT id FROM hapax.saga WHERE id = ANY (?) AND state IN"
                        + " ('RUNNING', 'WAITING', 'COMPENSATING')")) {
            select.setArray(1, connection.createArrayOf("uuid", over.toArray()));
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    over.remove(row.getObject(1, UUID.class));
                }
            }
        }
        over.forEach(this::changed);
    }

    private Known look(UUID id) {
        try {
            return connections.autoCommit(connection -> look(connection, id));
        } catch (SQLException e) {
            throw SqlFaults.translate("the saga can't be read", e);
        }
    }

    private static Known look(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT state, CASE state WHEN 'STUCK' THEN stuck_because ELSE reason END, result_type, result FROM hapax.saga WHERE id = ?"
                        + " UNION ALL SELECT state, reason, result_type, result FROM hapax.saga_ended WHERE id = ?")) {
            select.setObject(1, id);
            select.setObject(2, id);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    throw new IllegalArgumentException(
                            "no such saga was started, or it ended so long ago that it is forgotten");
                }
                return new Known(SagaState.valueOf(row.getString(1)), row.getString(2), SagaStore.encoded(row, 3));
            }
        }
    }
}
