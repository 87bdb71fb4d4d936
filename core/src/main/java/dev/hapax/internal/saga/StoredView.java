package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.saga.SagaOperator.Stored;
import dev.hapax.saga.SagaOperator.StoredStep;
import dev.hapax.saga.SagaState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A saga as an operator sees it, in flight or ended. */
final class StoredView implements Stored {

    private static final String SELECT =
            "SELECT x.id, d.name, d.version, x.scope, x.producer, x.key, x.key_time, x.state, x.started_at, x.ended_at, x.due_at, x.deadline_at, x.owner,"
                    + " x.losses, x.reason, x.parent FROM (SELECT id, definition, scope, producer, key, key_time, state, started_at,"
                    + " ended_at, due_at, deadline_at, owner, losses,"
                    + " CASE state WHEN 'STUCK' THEN stuck_because ELSE reason END AS reason, parent FROM hapax.saga"
                    + " UNION ALL SELECT id, definition, scope, producer, key, key_time, state, started_at, ended_at, NULL, NULL, NULL, losses, reason, parent"
                    + " FROM hapax.saga_ended) x JOIN hapax.saga_definition d ON d.id = x.definition WHERE ";

    private final Definition definition;
    private final UUID id;
    private final Key key;
    private final SagaState state;
    private final Times times;
    private final Trouble trouble;

    private record Definition(String name, int version) {}

    private record Times(
            Instant started,
            @Nullable Instant ended,
            @Nullable Instant due,
            @Nullable Instant deadline) {}

    private record Trouble(
            @Nullable UUID owner,
            int losses,
            @Nullable String reason,
            @Nullable UUID parent) {}

    private StoredView(ResultSet row) throws SQLException {
        this.id = row.getObject(1, UUID.class);
        this.definition = new Definition(row.getString(2), row.getInt(3));
        this.key = SagaRow.key(row.getString(4), row.getString(5), row.getString(6), StepRow.instant(row, 7));
        this.state = SagaState.valueOf(row.getString(8));
        this.trouble = new Trouble(
                row.getObject(13, UUID.class), row.getInt(14), row.getString(15), row.getObject(16, UUID.class));
        this.times = new Times(
                row.getObject(9, OffsetDateTime.class).toInstant(),
                StepRow.instant(row, 10),
                trouble.owner == null && !state.isEnd() ? finite(row, 11) : null,
                finite(row, 12));
    }

    /** What is bound to the condition. */
    @FunctionalInterface
    interface Binding {
        void bind(PreparedStatement statement) throws SQLException;
    }

    static List<Stored> select(Connection connection, String condition, int limit, Binding binding)
            throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement(SELECT + condition + " ORDER BY x.started_at, x.id LIMIT " + limit)) {
            binding.bind(select);
            List<Stored> all = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    all.add(new StoredView(row));
                }
            }
            return all;
        }
    }

    private static @Nullable Instant finite(ResultSet row, int at) throws SQLException {
        OffsetDateTime time = row.getObject(at, OffsetDateTime.class);
        return time == null || time.equals(OffsetDateTime.MAX) ? null : time.toInstant();
    }

    @Override
    public UUID id() {
        return id;
    }

    @Override
    public String name() {
        return definition.name;
    }

    @Override
    public int version() {
        return definition.version;
    }

    @Override
    public Key key() {
        return key;
    }

    @Override
    public SagaState state() {
        return state;
    }

    @Override
    public Instant startedAt() {
        return times.started;
    }

    @Override
    public Optional<Instant> endedAt() {
        return Optional.ofNullable(times.ended);
    }

    @Override
    public Optional<Instant> dueAt() {
        return Optional.ofNullable(times.due);
    }

    @Override
    public Optional<Instant> deadlineAt() {
        return Optional.ofNullable(times.deadline);
    }

    @Override
    public Optional<UUID> owner() {
        return Optional.ofNullable(trouble.owner);
    }

    @Override
    public int losses() {
        return trouble.losses;
    }

    @Override
    public Optional<String> reason() {
        return Optional.ofNullable(trouble.reason);
    }

    @Override
    public Optional<UUID> parent() {
        return Optional.ofNullable(trouble.parent);
    }

    /** One of its steps. */
    record Step(StepRow row) implements StoredStep {

        @Override
        public String name() {
            return row.id.shown();
        }

        @Override
        public String kind() {
            return row.kind.name();
        }

        @Override
        public boolean isUndo() {
            return row.id.undo();
        }

        @Override
        public String state() {
            return row.state.name();
        }

        @Override
        public int attempts() {
            return row.attempts;
        }

        @Override
        public Instant beganAt() {
            return java.util.Objects.requireNonNull(row.beganAt);
        }

        @Override
        public Optional<Instant> endedAt() {
            return Optional.ofNullable(row.endedAt);
        }

        @Override
        public Optional<Instant> dueAt() {
            // Of a claim it is when it began.
            return Optional.ofNullable(row.kind == StepRow.Kind.CLAIM || row.state.isOver() ? null : row.dueAt);
        }

        @Override
        public Optional<String> type() {
            return Optional.ofNullable(row.value == null ? null : row.value.type());
        }

        @Override
        public Optional<String> reason() {
            return Optional.ofNullable(row.reason);
        }

        @Override
        public long token() {
            return row.token;
        }
    }
}
