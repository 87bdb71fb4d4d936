package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.StoreException;
import dev.hapax.internal.SqlFaults;
import dev.hapax.once.Effect;
import dev.hapax.once.Once;
import dev.hapax.once.OnceValue;
import dev.hapax.once.Result;
import dev.hapax.once.ValueEffect;
import dev.hapax.once.Verdict;
import dev.hapax.spi.Metrics.Ending;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The two shapes of a call on one key. */
final class OnceCalls {

    private OnceCalls() {}

    /** Without an answer. */
    static final class Plain implements Once {

        private final OnceEngine engine;
        private final Key key;
        private final OnceSpec spec;

        Plain(OnceEngine engine, Key key, OnceSpec spec) {
            this.engine = engine;
            this.key = key;
            this.spec = spec;
        }

        @Override
        public Once matching(Object request) {
            spec.fingerprint = Fingerprints.of(engine.shared.codec(), request);
            return this;
        }

        @Override
        public Once on(Connection connection) {
            spec.join(connection);
            return this;
        }

        @Override
        public Once waitUpTo(Duration time) {
            spec.waitSeconds = OnceSpec.waitSeconds(time);
            return this;
        }

        @Override
        public Once refuseIfInProgress() {
            spec.waitSeconds = 0;
            return this;
        }

        @Override
        public <E extends Exception> Verdict run(Effect<E> effect) throws E {
            return engine.run(key, spec, new OnceEngine.Body<>() {
                @Override
                public Verdict apply(Connection connection, Marker marker) throws SQLException {
                    return engine.applyAndCommit(
                            connection,
                            marker,
                            spec,
                            tx -> {
                                effect.apply(tx.of(key));
                                return Verdict.APPLIED;
                            },
                            false);
                }

                @Override
                public Verdict replay(Connection connection, Marker marker) {
                    return Verdict.REPLAYED;
                }
            });
        }

        @Override
        public Result<Long> statement(String sql, @Nullable Object... parameters) {
            return engine.counted(key, () -> {
                Connection joined = spec.joined;
                if (joined == null) {
                    return engine.retried(key, () -> {
                        Marker marker = engine.resolve(key);
                        return stoppable(
                                marker,
                                () -> engine.connections()
                                        .autoCommit(connection -> single(connection, marker, sql, parameters)));
                    });
                }
                try {
                    Marker marker = engine.markers.resolve(key);
                    return stoppable(marker, () -> single(joined, marker, sql, parameters));
                } catch (SQLException e) {
                    throw OnceEngine.translateJoined(key, e);
                }
            });
        }

        private Result<Long> single(Connection connection, Marker marker, String sql, @Nullable Object[] parameters)
                throws SQLException {
            String text = marker.tableOrTimeless().with(sql, spec.fingerprint != null, spec.waitSeconds > 0);
            try (PreparedStatement statement = connection.prepareStatement(text)) {
                int next;
                if (spec.waitSeconds == 0) {
                    next = Markers.bindAtOnce(statement, marker, spec.fingerprint);
                } else {
                    next = Markers.bind(statement, 1, marker);
                    if (spec.fingerprint != null) {
                        statement.setBytes(next++, spec.fingerprint);
                    }
                }
                for (@Nullable Object parameter : parameters) {
                    statement.setObject(next++, parameter);
                }
                return answer(connection, marker, statement);
            } catch (SQLException e) {
                if (SqlFaults.isUndefinedTable(e)) {
                    engine.markers.forget(marker);
                }
                throw e;
            }
        }

        /**
         * The statement is bounded as a whole, so it may have been stopped while it waited for its key, or in its effect. Which, is only asked then, when
         * the connection that it was stopped on has been given back.
         */
        private <R> R stoppable(Marker marker, OnceEngine.Attempt<R> statement) throws SQLException {
            try {
                return statement.run();
            } catch (SQLException e) {
                if (!SqlFaults.isWaitedTooLong(e) || spec.waitSeconds == 0) {
                    throw e;
                }
                if (engine.isInProgress(marker)) {
                    throw OnceEngine.inProgress(key, "it was waited for " + spec.waitSeconds + " s");
                }
                throw new StoreException(
                        "the statement of key " + key
                                + " was stopped, and nobody else has the key: its effect takes longer than "
                                + spec.waitSeconds
                                + " s (waitUpTo), or than the database allows, or waits for rows that others hold. Nothing was committed."
                                + " Give it more time, or use run (SQLState " + e.getSQLState() + ": "
                                + e.getMessage() + ")",
                        e);
            }
        }

        private ResultSet execute(PreparedStatement statement) throws SQLException {
            if (spec.waitSeconds == 0) {
                return statement.executeQuery();
            }
            try (var watch = engine.connections().deadlines().watch(statement, spec.waitSeconds)) {
                return statement.executeQuery();
            }
        }

        private Result<Long> answer(Connection connection, Marker marker, PreparedStatement statement)
                throws SQLException {
            try (ResultSet row = execute(statement)) {
                row.next();
                int marked = row.getInt(1);
                if (marked == Markers.NEW) {
                    engine.metrics().once(key.scope(), Ending.APPLIED, 1);
                    return new Result.Applied<>(row.getLong(2));
                }
                if (marked == Markers.IN_PROGRESS) {
                    throw OnceEngine.inProgress(key, "the caller chose not to wait");
                }
            }
            engine.checkSameRequest(connection, marker, spec.fingerprint);
            engine.metrics().once(key.scope(), Ending.REPLAYED, 1);
            return new Result.Replayed<>(Optional.empty());
        }
    }

    /** With an answer. */
    static final class Valued<T> implements OnceValue<T> {

        private final OnceEngine engine;
        private final Key key;
        private final Class<T> type;
        private final OnceSpec spec;

        Valued(OnceEngine engine, Key key, Class<T> type, OnceSpec spec) {
            this.engine = engine;
            this.key = key;
            this.type = type;
            this.spec = spec;
        }

        @Override
        public OnceValue<T> matching(Object request) {
            spec.fingerprint = Fingerprints.of(engine.shared.codec(), request);
            return this;
        }

        @Override
        public OnceValue<T> on(Connection connection) {
            spec.join(connection);
            return this;
        }

        @Override
        public OnceValue<T> waitUpTo(Duration time) {
            spec.waitSeconds = OnceSpec.waitSeconds(time);
            return this;
        }

        @Override
        public OnceValue<T> refuseIfInProgress() {
            spec.waitSeconds = 0;
            return this;
        }

        @Override
        public <E extends Exception> Result<T> call(ValueEffect<T, E> effect) throws E {
            return engine.run(key, spec, new OnceEngine.Body<Result<T>>() {
                @Override
                public void prepare(Marker marker) throws SQLException {
                    engine.outcomes.day(marker);
                }

                @Override
                public Result<T> apply(Connection connection, Marker marker) throws SQLException {
                    return new Result.Applied<>(
                            engine.applyAndCommit(connection, marker, spec, tx -> effect.apply(tx.of(key)), true));
                }

                @Override
                public Result<T> replay(Connection connection, Marker marker) throws SQLException {
                    return new Result.Replayed<>(engine.findOutcome(connection, marker, type));
                }
            });
        }
    }
}
