package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.internal.Days;
import dev.hapax.once.Result;
import java.sql.Connection;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

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

    /** In the transaction that is open on the connection. */
    static Result<Long> in(SagaGround ground, Connection connection, SagaRow saga, Order order) {
        SagaRow.Birth birth = saga.birth;
        Key key = birth.key();
        return ground.doing()
                .once()
                .once(SagaRun.sagaKey(key, order.name()))
                .matching(order.input())
                .on(connection)
                .statement(
                        SagaSql.START,
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
                        saga.input.body());
    }

    private static OffsetDateTime time(Instant instant) {
        return instant.equals(Instant.MAX) ? OffsetDateTime.MAX : OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
    }
}
