package dev.hapax.internal.saga;

import dev.hapax.internal.Reasons;
import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a saga writes and reads of its children. A child's row is written before its parent's, everywhere. */
final class ChildSql {

    private static final String CANCEL =
            "UPDATE hapax.saga SET state = 'COMPENSATING', cause = 'CANCELLED', reason = ?, stuck_because = NULL, ended_at = NULL,"
                    + " token = token + 1, owner = NULL, due_at = clock_timestamp() WHERE ";

    /** A child ends, and stays for as long as its family: id, token, state of it; the parent is woken. */
    private static final String END =
            "UPDATE hapax.saga s SET state = ?, owner = NULL, due_at = 'infinity', ended_at = clock_timestamp(), result_type = ?, result = ?"
                    + " WHERE s.id = ? AND s.token = ? AND s.state = ?";

    private static final String WAKE =
            "UPDATE hapax.saga s SET pokes = s.pokes + 1, due_at = CASE WHEN s.owner IS NULL AND s.state IN ('WAITING', 'COMPENSATING')"
                    + " THEN least(s.due_at, clock_timestamp()) ELSE s.due_at END WHERE s.id = ?";

    /** Those that have ended go with their root; who has not (a person has ended the root by force) goes on alone. */
    private static final String MOVE =
            "WITH gone AS (DELETE FROM hapax.saga s WHERE s.root = ? AND s.state IN ('COMPLETED', 'COMPENSATED', 'CANCELLED') RETURNING s.*)"
                    + " INSERT INTO hapax.saga_ended (day, id, started_at, ended_at, key_time, parent, definition, losses, scope, producer, key, state,"
                    + " cause, reason, result_type, result, steps) SELECT day, id, started_at, ended_at, key_time, parent, definition, losses, scope, producer,"
                    + " key, state, cause, reason, result_type, result, steps FROM gone";

    private static final String DETACH =
            "UPDATE hapax.saga s SET root = NULL, token = s.token + 1, owner = NULL, due_at = clock_timestamp(),"
                    + " state = CASE s.state WHEN 'RUNNING' THEN 'WAITING' ELSE s.state END WHERE s.root = ? AND s.state <> 'STUCK'";

    private static final String DETACH_STUCK = "UPDATE hapax.saga s SET root = NULL WHERE s.root = ?";

    private ChildSql() {}

    /** Stops the children that are on their way. */
    static void stopAll(Connection connection, SagaRow parent) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                CANCEL + "root = ? AND parent = ? AND cause IS NULL AND state IN ('RUNNING', 'WAITING', 'STUCK')")) {
            update.setString(1, reason(parent));
            update.setObject(2, parent.root());
            update.setObject(3, parent.id());
            update.executeUpdate();
        }
    }

    private static String reason(SagaRow parent) {
        return Reasons.cut("its parent is undone: " + parent.reason);
    }

    /**
     * Has a child undone.
     *
     * @param key the id of its key
     * @return whether there is nothing (more) of it to undo
     */
    static boolean undo(Connection connection, SagaRow parent, String key) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(CANCEL + "root = ? AND parent = ? AND key = ?"
                + " AND cause IS NULL AND state IN ('RUNNING', 'WAITING', 'STUCK', 'COMPLETED')")) {
            update.setString(1, reason(parent));
            update.setObject(2, parent.root());
            update.setObject(3, parent.id());
            update.setString(4, key);
            update.executeUpdate();
        }
        Child child = look(connection, parent, key);
        return child == null || child.state().isEnd();
    }

    /** A child that is in flight, or has ended before its family. */
    record Child(
            SagaState state,
            @Nullable String reason,
            @Nullable Encoded result,
            String definition) {}

    /**
     * How a child stands; null if there is none in flight.
     *
     * @param key the id of its key
     */
    static @Nullable Child look(Connection connection, SagaRow parent, String key) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT s.state, s.reason, s.result_type, s.result, d.name FROM hapax.saga s"
                        + " JOIN hapax.saga_definition d ON d.id = s.definition WHERE s.root = ? AND s.parent = ? AND s.key = ?")) {
            select.setObject(1, parent.root());
            select.setObject(2, parent.id());
            select.setString(3, key);
            try (ResultSet row = select.executeQuery()) {
                return row.next()
                        ? new Child(
                                SagaState.valueOf(row.getString(1)),
                                row.getString(2),
                                SagaStore.encoded(row, 3),
                                row.getString(5))
                        : null;
            }
        }
    }

    static boolean end(Connection connection, SagaRow child, SagaStore.Ending ending) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(END)) {
            update.setString(1, ending.state().name());
            update.setString(2, ending.result() == null ? null : ending.result().type());
            update.setBytes(3, ending.result() == null ? null : ending.result().body());
            update.setObject(4, child.id());
            update.setLong(5, child.token);
            update.setString(6, child.state.name());
            if (update.executeUpdate() != 1) {
                return false;
            }
        }
        try (PreparedStatement wake = connection.prepareStatement(WAKE)) {
            wake.setObject(1, child.kin.parent());
            wake.executeUpdate();
        }
        return true;
    }

    /** The root has ended: so has its family. */
    static void endFamily(Connection connection, UUID root) throws SQLException {
        for (String sql : new String[] {MOVE, DETACH, DETACH_STUCK}) {
            try (PreparedStatement update = connection.prepareStatement(sql)) {
                update.setObject(1, root);
                update.executeUpdate();
            }
        }
    }
}
