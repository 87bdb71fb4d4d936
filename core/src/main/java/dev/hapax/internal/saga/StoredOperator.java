package dev.hapax.internal.saga;

import dev.hapax.internal.Checks;
import dev.hapax.internal.SqlFaults;
import dev.hapax.saga.SagaOperator;
import dev.hapax.saga.SagaState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Sagas, as rows. Safe for use by many threads. */
final class StoredOperator implements SagaOperator {

    private static final int FOUND_MAX = 100;

    private final SagaEngine engine;

    StoredOperator(SagaEngine engine) {
        this.engine = engine;
    }

    @Override
    public List<Stored> list(Set<SagaState> states, int limit) {
        return list(null, states, limit);
    }

    @Override
    public List<Stored> list(@Nullable String name, Set<SagaState> states, int limit) {
        Checks.range("limit", limit, 1, LIST_MAX);
        return engine.asked("sagas can't be read", connection -> {
            String[] names = states.stream().map(Enum::name).toArray(String[]::new);
            return StoredView.select(
                    connection, "x.state = ANY (?) AND (? IS NULL OR d.name = ?)", limit, statement -> {
                        statement.setArray(1, connection.createArrayOf("text", names));
                        statement.setString(2, name);
                        statement.setString(3, name);
                    });
        });
    }

    @Override
    public Optional<Stored> find(UUID id) {
        return engine
                .asked(
                        "the saga can't be read",
                        connection ->
                                StoredView.select(connection, "x.id = ?", 1, statement -> statement.setObject(1, id)))
                .stream()
                .findFirst();
    }

    @Override
    public List<Stored> find(String keyId) {
        return engine.asked(
                "sagas can't be read",
                connection -> StoredView.select(
                        connection, "x.key = ?", FOUND_MAX, statement -> statement.setString(1, keyId)));
    }

    @Override
    public List<StoredStep> steps(UUID id) {
        return engine.asked("the steps of a saga can't be read", connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT " + StepRow.COLUMNS + " FROM hapax.saga_history WHERE saga = ? ORDER BY number")) {
                select.setObject(1, id);
                List<StoredStep> all = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        all.add(new StoredView.Step(StepRow.read(row)));
                    }
                }
                return all;
            }
        });
    }

    @Override
    public List<Action> actions(UUID id) {
        return engine.asked("what was done to a saga can't be read", connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT at, action, step, reason, acted_by FROM hapax.saga_action WHERE saga = ? ORDER BY id")) {
                select.setObject(1, id);
                List<Action> all = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        all.add(new Action(
                                row.getObject(1, OffsetDateTime.class).toInstant(),
                                row.getString(2),
                                Optional.ofNullable(row.getString(3)),
                                row.getString(4),
                                row.getString(5)));
                    }
                }
                return all;
            }
        });
    }

    /** An action and what is written of it, in one transaction. */
    @FunctionalInterface
    private interface Deed {
        boolean on(Connection connection) throws SQLException;
    }

    private boolean act(UUID id, String action, @Nullable String step, Ruling ruling, Deed deed) {
        try {
            boolean done = engine.ground().connections().inTransaction(connection -> {
                if (!deed.on(connection)) {
                    return false;
                }
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO hapax.saga_action (saga, action, step, reason, acted_by) VALUES (?, ?, ?, ?, ?)")) {
                    insert.setObject(1, id);
                    insert.setString(2, action);
                    insert.setString(3, step);
                    insert.setString(4, ruling.reason());
                    insert.setString(5, ruling.by());
                    return insert.executeUpdate() == 1;
                }
            });
            engine.keeper().nudge();
            return done;
        } catch (SQLException e) {
            throw SqlFaults.translate("nothing was done to the saga", e);
        }
    }

    private static boolean update(Connection connection, String sql, @Nullable Object... parameters)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                update.setObject(i + 1, parameters[i]);
            }
            return update.executeUpdate() > 0;
        }
    }

    @Override
    public boolean retry(UUID id, Ruling ruling) {
        return act(id, "RETRY", null, ruling, connection -> {
            // Tries that were used up count from the first again.
            boolean now = update(
                    connection,
                    "UPDATE hapax.saga SET state = CASE WHEN state <> 'STUCK' THEN state WHEN cause IS NULL THEN 'WAITING' ELSE 'COMPENSATING' END,"
                            + " stuck_because = NULL, due_at = clock_timestamp() WHERE id = ? AND owner IS NULL"
                            + " AND (state = 'STUCK' OR state IN ('WAITING', 'COMPENSATING') AND EXISTS"
                            + " (SELECT FROM hapax.saga_step t WHERE t.saga = saga.id AND (t.state = 'TRYING' OR t.kind = 'CLAIM' AND t.state = 'OPEN')))",
                    id);
            if (now) {
                update(
                        connection,
                        "UPDATE hapax.saga_step SET attempts = 0, due_at = CASE kind WHEN 'CLAIM' THEN due_at END"
                                + " WHERE saga = ? AND (state = 'TRYING' OR kind = 'CLAIM' AND state = 'OPEN')",
                        id);
            }
            return now;
        });
    }

    @Override
    public boolean skip(UUID id, String step, Ruling ruling) {
        StepId wanted = parse(step);
        return act(
                id,
                "SKIP",
                step,
                ruling,
                connection -> lock(connection, id) && skip(connection, id, wanted, ruling) && wake(connection, id));
    }

    private static StepId parse(String step) {
        int hash = step.lastIndexOf('#');
        if (hash > 0 && step.substring(hash + 1).matches("[0-9]{1,9}")) {
            return new StepId(step.substring(0, hash), Integer.parseInt(step.substring(hash + 1)), true);
        }
        return new StepId(step, 1, true);
    }

    private static boolean lock(Connection connection, UUID id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT FROM hapax.saga WHERE id = ? AND state IN ('COMPENSATING', 'STUCK') AND cause IS NOT NULL FOR UPDATE")) {
            select.setObject(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next();
            }
        }
    }

    /** Takes it from its owner, so that what the owner is about to undo is not undone beside what was decided here; somebody takes it up again at once. */
    private static boolean wake(Connection connection, UUID id) throws SQLException {
        return update(
                connection,
                "UPDATE hapax.saga SET state = 'COMPENSATING', stuck_because = NULL, token = token + 1, owner = NULL, due_at = clock_timestamp() WHERE id = ?",
                id);
    }

    private static boolean skip(Connection connection, UUID id, StepId undo, Ruling ruling) throws SQLException {
        return update(
                connection,
                "INSERT INTO hapax.saga_step AS t (day, saga, token, name, nth, undo, number, kind, state, undoable, attempts, reason, ended_at)"
                        + " SELECT s.day, s.saga, s.token, s.name, s.nth, true,"
                        + " (SELECT max(number) + 1 FROM hapax.saga_history m WHERE m.day = s.day AND m.saga = s.saga), s.kind, 'SKIPPED', false, 0, ?, clock_timestamp()"
                        + " FROM hapax.saga_history s WHERE s.saga = ? AND s.name = ? AND s.nth = ? AND NOT s.undo"
                        + " AND (s.undoable AND s.state = 'DONE' OR s.kind = 'CLAIM' AND s.state = 'OPEN' OR s.kind = 'CHILD' AND s.state IN ('OPEN', 'DONE'))"
                        + " ON CONFLICT (saga, name, nth, undo, day) DO UPDATE SET state = 'SKIPPED', reason = EXCLUDED.reason, ended_at = EXCLUDED.ended_at"
                        + " WHERE t.state IN ('OPEN', 'TRYING')",
                ruling.reason(),
                id,
                undo.name(),
                undo.nth());
    }

    @Override
    public boolean force(UUID id, Ruling ruling) {
        return act(id, "FORCE", null, ruling, connection -> {
            if (!lock(connection, id) || !wake(connection, id)) {
                return false;
            }
            SagaRow saga = SagaStore.find(connection, id);
            if (saga == null) {
                return false;
            }
            SagaStore.Ending ending = new SagaStore.Ending(saga.undone(), null);
            if (saga.kin.root() != null) {
                return ChildSql.end(connection, saga, ending);
            }
            ChildSql.endFamily(connection, id);
            SagaStore.end(connection, saga, ending, null, false);
            return true;
        });
    }

    @Override
    public boolean cancel(UUID id, Ruling ruling) {
        return act(
                id,
                "CANCEL",
                null,
                ruling,
                connection -> update(
                        connection,
                        "UPDATE hapax.saga SET state = 'COMPENSATING', cause = 'CANCELLED', reason = ?, stuck_because = NULL, token = token + 1, owner = NULL,"
                                + " due_at = clock_timestamp() WHERE id = ? AND state IN ('RUNNING', 'WAITING', 'STUCK') AND cause IS NULL",
                        ruling.reason(),
                        id));
    }
}
