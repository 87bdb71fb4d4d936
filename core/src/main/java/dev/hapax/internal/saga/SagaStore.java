package dev.hapax.internal.saga;

import dev.hapax.internal.LastStatement;
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

    private static final String OF_ANOTHER = "HX003";

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
        if (step.inSaga) {
            try (PreparedStatement update = connection.prepareStatement(SagaSql.DONE_IN_SAGA)) {
                bindDone(update, 1, step);
                mine(update, SagaSql.DONE_PARAMETERS + 1, saga);
                return update.executeUpdate() == 1;
            }
        }
        SagaSql sql = SagaSql.of(saga.birth.day());
        try (PreparedStatement insert = connection.prepareStatement(step.stored ? sql.stepAgain : sql.step)) {
            bind(insert, 1, step);
            mine(insert, SagaSql.STEP_PARAMETERS + 1, saga);
            return insert.executeUpdate() == 1;
        }
    }

    /** Records a step that lies in its saga's row, and commits; it fails as {@link #isOfAnother} if the saga is no longer ours. */
    static void stepAndCommit(Connection connection, SagaRow saga, StepRow step) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.DONE_AND_COMMIT)) {
            bindDone(update, 1, step);
            mine(update, SagaSql.DONE_PARAMETERS + 1, saga);
            update.execute();
        }
    }

    /**
     * Ends a saga without a parent, or fails as {@link #isOfAnother} if it is no longer ours.
     *
     * @param last its last step, if that is to lie in the saga's row
     * @param commits whether the transaction is committed as well
     */
    static void end(Connection connection, SagaRow saga, Ending ending, @Nullable StepRow last, boolean commits)
            throws SQLException {
        SagaSql sql = SagaSql.of(saga.birth.day());
        LastStatement end = last == null ? sql.end : sql.endWithStep;
        try (PreparedStatement delete = connection.prepareStatement(end.text(commits))) {
            mine(delete, 1, saga);
            delete.setString(4, ending.state().name());
            delete.setString(5, saga.cause == null ? null : saga.cause.name());
            delete.setString(6, saga.reason);
            Encoded result = ending.result();
            delete.setString(7, result == null ? null : result.type());
            delete.setBytes(8, result == null ? null : result.body());
            if (last != null) {
                bindDone(delete, 9, last);
            }
            delete.execute();
        }
    }

    /** A write of an owner has found that the saga has another owner, or another state; nothing of its transaction is committed. */
    static boolean isOfAnother(SQLException e) {
        return OF_ANOTHER.equals(e.getSQLState());
    }

    /**
     * Puts a saga to sleep, if it is ours and nothing has come for it; the transaction is committed either way.
     *
     * @param due {@link Instant#MAX}: not by itself
     * @param commits whether that is done here
     */
    static boolean park(Connection connection, SagaRow saga, SagaState parked, Instant due, boolean commits)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.PARK.text(commits))) {
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

    private static void bindDone(PreparedStatement statement, int from, StepRow step) throws SQLException {
        statement.setInt(from, step.number);
        statement.setInt(from + 1, step.id.nth());
        statement.setBoolean(from + 2, step.undoable);
        statement.setString(from + 3, step.id.name());
        Encoded value = step.value;
        statement.setString(from + 4, value == null ? null : value.type());
        statement.setBytes(from + 5, value == null ? null : value.body());
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
