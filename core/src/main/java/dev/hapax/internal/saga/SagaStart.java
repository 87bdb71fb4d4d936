package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.internal.Days;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Metrics.Ending;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Starts a saga: a marker and its row, in one statement of {@code once}. */
final class SagaStart {

    private SagaStart() {}

    /**
     * What a saga is started as.
     *
     * @param name of its definition
     * @param leaseSeconds how long it is its owner's; 0 without one
     * @param input what is compared if it is started again
     */
    record Order(String name, double leaseSeconds, Object input) {}

    /**
     * In the transaction that is open on the connection.
     *
     * @return false if it had been started before
     */
    static boolean in(SagaGround ground, Connection connection, SagaRow saga, Order order) {
        Settlements settlements = ground.doing().once().settlements();
        Key key = SagaRun.sagaKey(saga.birth.key(), order.name());
        return settlements.counted(key, () -> {
            try {
                return mark(settlements, connection, key, saga, order);
            } catch (SQLException e) {
                throw Settlements.translateJoined(key, e);
            }
        });
    }

    private static boolean mark(Settlements settlements, Connection connection, Key key, SagaRow saga, Order order)
            throws SQLException {
        Marker marker = settlements.place(key);
        byte[] fingerprint = settlements.fingerprint(order.input());
        Settlements.Marking marking = settlements.marking(marker, fingerprint);
        boolean isNew = settlements.mark(
                connection, marking, SagaSql.START, (statement, from) -> bind(statement, from, saga, order));
        if (!isNew) {
            settlements.checkSameRequest(connection, marker, fingerprint);
        }
        settlements.metrics().once(key.scope(), isNew ? Ending.APPLIED : Ending.REPLAYED, 1);
        return isNew;
    }

    private static void bind(PreparedStatement statement, int from, SagaRow saga, Order order) throws SQLException {
        SagaRow.Birth birth = saga.birth;
        Key key = birth.key();
        @Nullable
        Object[] values = {
            birth.id(),
            Days.iso(birth.day()),
            birth.definition(),
            time(birth.startedAt()),
            time(birth.deadlineAt()),
            order.leaseSeconds(),
            saga.state.name(),
            saga.owner,
            saga.kin.parent(),
            saga.kin.root(),
            key.scope(),
            key.producer().orElseThrow(),
            key.id(),
            key.time().map(SagaStart::time).orElse(null),
            saga.input.type(),
            saga.input.body()
        };
        for (int i = 0; i < values.length; i++) {
            statement.setObject(from + i, values[i]);
        }
    }

    /** As text: a driver makes one of every time, by way of a calendar, which takes longer than the rest of the statement. */
    private static String time(Instant instant) {
        return instant.equals(Instant.MAX) ? "infinity" : instant.toString();
    }
}
