package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.internal.Checks;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.Projecting;
import dev.hapax.internal.SqlFaults;
import dev.hapax.once.Verdict;
import dev.hapax.saga.SagaOperator;
import dev.hapax.saga.SagaResult;
import dev.hapax.saga.Sagas;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/** Sagas, as callers see them. Safe for use by many threads. */
public final class StoredSagas implements Sagas {

    private static final Duration WITHIN_MAX = Duration.ofDays(400);

    /** Signals that a saga has not received; each run of its code reads them. */
    private static final int SIGNALS_MAX = 1000;

    /**
     * A signal and its poke. The saga's row first: who goes to sleep holds it, so it either sees that something has come, or is asleep and is woken. Signals are counted only where there can be too many.
     */
    private static final String SIGNAL = "WITH s AS (SELECT g.id, g.pokes < " + SIGNALS_MAX
            + " OR EXISTS (SELECT FROM hapax.saga_signal o WHERE o.saga = g.id AND o.id = ?)"
            + " OR (SELECT count(*) FROM hapax.saga_signal o WHERE o.saga = g.id AND NOT o.taken) < " + SIGNALS_MAX
            + " AS room"
            + " FROM hapax.saga g WHERE g.id = ? AND g.cause IS NULL AND g.state IN ('RUNNING', 'WAITING', 'STUCK') FOR UPDATE),"
            + " told AS (INSERT INTO hapax.saga_signal (saga, id, name, type, body) SELECT s.id, CAST(? AS uuid), ?, ?, CAST(? AS bytea) FROM s"
            + " WHERE s.room ON CONFLICT DO NOTHING RETURNING saga),"
            + " woken AS (UPDATE hapax.saga g SET pokes = g.pokes + 1,"
            + " due_at = CASE g.state WHEN 'WAITING' THEN least(g.due_at, clock_timestamp()) ELSE g.due_at END FROM told WHERE g.id = told.saga)"
            + " SELECT (SELECT count(*) FROM s), (SELECT count(*) FROM told), (SELECT count(*) FROM s WHERE room),"
            + " EXISTS (SELECT FROM hapax.saga WHERE id = ?) OR EXISTS (SELECT FROM hapax.saga_ended WHERE id = ?)";

    private final SagaEngine engine;
    private final SagaOperator operator;

    public StoredSagas(SagaEngine engine) {
        this.engine = engine;
        this.operator = new StoredOperator(engine);
    }

    SagaEngine engine() {
        return engine;
    }

    @Override
    public Verdict start(String name, Key key, Object input) {
        Projecting.refuse("saga " + name, key);
        return engine.start(Checks.name("the name of a saga", name), key, input);
    }

    @Override
    public Verdict start(Transaction tx, String name, Key key, Object input) {
        Projecting.refuse("saga " + name, key);
        return engine.startOnly(Checks.name("the name of a saga", name), key, input, tx);
    }

    @Override
    public <T> SagaResult<T> complete(String name, Key key, Object input, Class<T> answer, Duration within) {
        Projecting.refuse("saga " + name, key);
        Checks.duration("within", within, Duration.ZERO, WITHIN_MAX);
        return result(engine.complete(Checks.name("the name of a saga", name), key, input, within), answer);
    }

    @Override
    public <T> SagaResult<T> await(String name, Key key, Class<T> answer, Duration within) {
        Checks.duration("within", within, Duration.ZERO, WITHIN_MAX);
        return result(engine.await(engine.id(name, key), within), answer);
    }

    private <T> SagaResult<T> result(Waiters.Known known, Class<T> answer) {
        String reason = String.valueOf(known.reason());
        return switch (known.state()) {
            case COMPLETED -> {
                Encoded result = known.result();
                yield new SagaResult.Completed<>(
                        result == null
                                ? Optional.empty()
                                : Optional.of(
                                        engine.ground().shared().codec().decode(result.type(), result.body(), answer)));
            }
            case COMPENSATED -> new SagaResult.Compensated<>(reason);
            case CANCELLED -> new SagaResult.Cancelled<>(reason);
            case STUCK -> new SagaResult.Stuck<>(reason);
            default -> new SagaResult.InFlight<>(known.state());
        };
    }

    @Override
    public Delivery signal(String name, Key key, String signal, String id, Object body) {
        Projecting.refuse("signal " + signal, key);
        Checks.name("the name of a signal", signal);
        UUID signalId = ChildIds.own(
                ChildIds.ownKey(SagaRun.sagaKey(engine.stored(key), name), "signal/" + signal),
                Checks.id("the id of a signal", id));
        Encoded encoded = encode(body);
        Delivery delivery = engine.asked(
                "the signal could not be delivered",
                connection -> signal(connection, engine.id(name, key), signal, signalId, encoded));
        engine.keeper().nudge();
        return delivery;
    }

    @Override
    public Delivery signal(Transaction tx, String name, Key key, String signal, Object body) {
        Projecting.refuse("signal " + signal, key);
        Checks.name("the name of a signal", signal);
        Encoded encoded = encode(body);
        UUID signalId = ChildIds.own(
                ChildIds.ownKey(engine.stored(tx.key()), "signal/" + signal),
                engine.id(name, key).toString());
        try {
            return signal(tx.connection(), engine.id(name, key), signal, signalId, encoded);
        } catch (SQLException e) {
            throw SqlFaults.translate("the signal could not be delivered", e);
        }
    }

    private Encoded encode(Object body) {
        Encoded encoded = engine.ground().shared().codec().encode(body);
        int most = engine.ground().shared().bytesMax();
        Checks.that(
                encoded.body().length <= most,
                "the body of a signal takes %d bytes; at most %d are allowed (payloadMax)",
                encoded.body().length,
                most);
        return encoded;
    }

    private static Delivery signal(Connection connection, UUID saga, String name, UUID id, Encoded body)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SIGNAL)) {
            statement.setObject(1, id);
            statement.setObject(2, saga);
            statement.setObject(3, id);
            statement.setString(4, name);
            statement.setString(5, body.type());
            statement.setBytes(6, body.body());
            statement.setObject(7, saga);
            statement.setObject(8, saga);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (row.getInt(1) == 1) {
                    Checks.state(
                            row.getInt(3) == 1,
                            "%d signals wait for saga %s, which is as many as may: signal %s can be delivered once it has received some",
                            SIGNALS_MAX,
                            saga,
                            name);
                    return row.getInt(2) == 1 ? Delivery.DELIVERED : Delivery.REPEATED;
                }
                return row.getBoolean(4) ? Delivery.TOO_LATE : Delivery.UNKNOWN;
            }
        }
    }

    @Override
    public boolean cancel(String name, Key key, String reason) {
        UUID id = engine.id(name, key);
        boolean cancelled = operator.cancel(
                id, new SagaOperator.Ruling(reason, engine.ground().shared().service()));
        Checks.that(
                cancelled || operator.find(id).isPresent(),
                "no saga %s with key %s was started, or it ended so long ago that it is forgotten",
                name,
                key);
        return cancelled;
    }

    @Override
    public SagaOperator operator() {
        return operator;
    }
}
