package dev.hapax.internal.saga;

import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What an owner reads and writes of its saga. Each write answers whether the saga is still its own, in the state that it thinks. */
final class SagaStore {

    private SagaStore() {}

    /** How a saga ends. */
    record Ending(SagaState state, @Nullable Encoded result) {}

    /** A saga that has ended. */
    record Ended(
            SagaState state,
            @Nullable String reason,
            @Nullable Encoded result) {}

    static @Nullable SagaRow find(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SagaSql.FIND)) {
            select.setObject(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? SagaRow.read(row) : null;
            }
        }
    }

    static @Nullable Ended findEnded(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT state, reason, result_type, result FROM hapax.saga_ended WHERE id = ?")) {
            select.setObject(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next()
                        ? new Ended(SagaState.valueOf(row.getString(1)), row.getString(2), encoded(row, 3))
                        : null;
            }
        }
    }

    static @Nullable Encoded encoded(ResultSet row, int at) throws SQLException {
        String type = row.getString(at);
        return type == null ? null : new Encoded(type, row.getBytes(at + 1));
    }

    static List<StepRow> steps(Connection connection, SagaRow saga) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SagaSql.of(saga.birth.day()).steps)) {
            select.setObject(1, saga.id());
            List<StepRow> steps = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    steps.add(StepRow.read(row));
                }
            }
            return steps;
        }
    }

    static boolean step(Connection connection, SagaRow saga, StepRow step) throws SQLException {
        SagaSql sql = SagaSql.of(saga.birth.day());
        try (PreparedStatement insert = connection.prepareStatement(step.stored ? sql.stepAgain : sql.step)) {
            bind(insert, 1, step);
            mine(insert, SagaSql.STEP_PARAMETERS + 1, saga);
            return insert.executeUpdate() == 1;
        }
    }

    /** A step in the transaction that starts its saga. */
    static boolean firstStep(Connection connection, SagaRow saga, StepRow step) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(SagaSql.of(saga.birth.day()).firstStep)) {
            bind(insert, 1, step);
            insert.setObject(SagaSql.STEP_PARAMETERS + 1, saga.id());
            insert.setLong(SagaSql.STEP_PARAMETERS + 2, saga.token);
            return insert.executeUpdate() == 1;
        }
    }

    /** Ends a saga, with its last step. */
    static boolean end(Connection connection, SagaRow saga, Ending ending, @Nullable StepRow last) throws SQLException {
        if (saga.kin.root() != null) {
            return (last == null || step(connection, saga, last)) && ChildSql.end(connection, saga, ending);
        }
        SagaSql sql = SagaSql.of(saga.birth.day());
        // A step that is stored already is written over, by a statement of its own.
        boolean together = last != null && !last.stored;
        if (last != null && !together && !step(connection, saga, last)) {
            return false;
        }
        try (PreparedStatement delete = connection.prepareStatement(together ? sql.endWithStep : sql.end)) {
            mine(delete, 1, saga);
            delete.setString(4, ending.state().name());
            delete.setString(5, saga.cause == null ? null : saga.cause.name());
            delete.setString(6, saga.reason);
            Encoded result = ending.result();
            delete.setString(7, result == null ? null : result.type());
            delete.setBytes(8, result == null ? null : result.body());
            if (last != null && together) {
                bind(delete, 9, last);
            }
            return delete.executeUpdate() == 1;
        }
    }

    /** @param due {@link Instant#MAX}: not by itself */
    static boolean park(Connection connection, SagaRow saga, SagaState parked, Instant due) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.PARK)) {
            update.setString(1, parked.name());
            setInstant(update, 2, due);
            update.setInt(mine(update, 3, saga), saga.pokes);
            return update.executeUpdate() == 1;
        }
    }

    static boolean compensate(Connection connection, SagaRow saga, SagaRow.Cause cause, String reason)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.COMPENSATE)) {
            update.setString(1, cause.name());
            update.setString(2, reason);
            mine(update, 3, saga);
            return update.executeUpdate() == 1;
        }
    }

    static boolean stuck(Connection connection, SagaRow saga, String because) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.STUCK)) {
            update.setString(1, because);
            mine(update, 2, saga);
            return update.executeUpdate() == 1;
        }
    }

    /** Binds what a write of an owner is compared with; returns the next free parameter. */
    private static int mine(PreparedStatement statement, int from, SagaRow saga) throws SQLException {
        statement.setObject(from, saga.id());
        statement.setLong(from + 1, saga.token);
        statement.setString(from + 2, saga.state.name());
        return from + 3;
    }

    private static void bind(PreparedStatement insert, int from, StepRow step) throws SQLException {
        insert.setString(from, step.id.name());
        insert.setInt(from + 1, step.id.nth());
        insert.setBoolean(from + 2, step.id.undo());
        insert.setInt(from + 3, step.number);
        insert.setString(from + 4, step.kind.name());
        insert.setString(from + 5, step.state.name());
        insert.setBoolean(from + 6, step.undoable);
        insert.setInt(from + 7, step.attempts);
        setInstant(insert, from + 8, step.dueAt);
        Encoded value = step.value;
        insert.setString(from + 9, value == null ? null : value.type());
        insert.setBytes(from + 10, value == null ? null : value.body());
        insert.setString(from + 11, step.reason);
        insert.setBoolean(from + 12, step.state.isOver());
    }

    static void setInstant(PreparedStatement statement, int at, @Nullable Instant instant) throws SQLException {
        if (instant == null) {
            statement.setNull(at, Types.TIMESTAMP_WITH_TIMEZONE);
        } else {
            // The driver takes the last moment of all for infinity.
            statement.setObject(
                    at,
                    instant.equals(Instant.MAX)
                            ? OffsetDateTime.MAX
                            : OffsetDateTime.ofInstant(instant, ZoneOffset.UTC));
        }
    }
}
