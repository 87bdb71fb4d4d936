package dev.hapax.internal.saga;

import dev.hapax.internal.Days;
import dev.hapax.internal.LastStatement;
import dev.hapax.internal.Partitions;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The statements on the steps of one day, made once per day: a driver finds a prepared statement by its text. Names of tables are made of Hapax's own words and digits.
 *
 * <p>A statement that writes for an owner reads or writes the saga's row with its id, the owner's token and the state that the owner thinks it is in, and holds that row until the commit: so a takeover or a cancellation
 * comes either before it, and it writes nothing, or after its commit.
 */
final class SagaSql {

    static final String STEP_TREE = "saga_step";
    static final String ENDED_TREE = "saga_ended";

    private static final Map<Long, SagaSql> DAYS = new ConcurrentHashMap<>();
    private static final String MINE = " WHERE s.id = ? AND s.token = ? AND s.state = ?";

    /** Beside its marker: the saga exists if and only if its key is new. */
    static final String START =
            "INSERT INTO hapax.saga (id, day, definition, started_at, deadline_at, due_at, state, owner, parent, root, scope, producer, key, key_time, input_type, input)"
                    + " SELECT CAST(? AS uuid), CAST(? AS date), CAST(? AS int), CAST(? AS timestamptz), CAST(? AS timestamptz),"
                    + " clock_timestamp() + make_interval(secs => CAST(? AS float8)), ?,"
                    + " CAST(? AS uuid), CAST(? AS uuid), CAST(? AS uuid), ?, ?, ?, CAST(? AS timestamptz), ?, CAST(? AS bytea) FROM marked";

    static final String FIND = "SELECT " + SagaRow.COLUMNS + " FROM hapax.saga s WHERE s.id = ?";

    /** Goes to sleep, if nothing has happened to it that it has not seen: state, due, then {@link #MINE}, pokes. */
    static final LastStatement PARK =
            LastStatement.of("UPDATE hapax.saga s SET state = ?, owner = NULL, due_at = ?" + MINE + " AND s.pokes = ?");

    static final String COMPENSATE = "UPDATE hapax.saga s SET state = 'COMPENSATING', cause = ?, reason = ?" + MINE;

    static final String STUCK =
            "UPDATE hapax.saga s SET state = 'STUCK', owner = NULL, due_at = 'infinity', stuck_because = ?" + MINE;

    /** Puts the leases off by so many seconds; see {@link #ours}. */
    static final String RENEW = ours("due_at = clock_timestamp() + make_interval(secs => free.seconds)");

    /** Lets go of sagas that can't be run on here, and are taken up again after so many seconds; see {@link #ours}. */
    static final String RELEASE = ours("owner = NULL, due_at = clock_timestamp() + make_interval(secs => free.seconds),"
            + " state = CASE s.state WHEN 'RUNNING' THEN 'WAITING' ELSE s.state END");

    /**
     * Takes up what is due, of the given definitions: definitions, how many of each, their leases, as arrays; the new owner. A row that somebody holds at this moment is left to him.
     */
    static final String TAKE =
            "WITH due AS (SELECT d.id, w.lease FROM unnest(CAST(? AS int[]), CAST(? AS int[]), CAST(? AS float8[])) AS w (definition, room, lease)"
                    + " CROSS JOIN LATERAL (SELECT g.id FROM hapax.saga g WHERE g.definition = w.definition AND g.due_at <= now()"
                    + " ORDER BY g.due_at LIMIT w.room FOR UPDATE SKIP LOCKED) d)"
                    + " UPDATE hapax.saga s SET token = s.token + 1, owner = ?, due_at = clock_timestamp() + make_interval(secs => due.lease),"
                    + " losses = CASE WHEN s.owner IS NULL THEN s.losses ELSE s.losses + 1 END,"
                    + " state = CASE s.state WHEN 'WAITING' THEN 'RUNNING' ELSE s.state END"
                    + " FROM due WHERE s.id = due.id RETURNING " + SagaRow.COLUMNS;

    private static final String STEP_COLUMNS =
            "day, saga, token, name, nth, undo, number, kind, state, undoable, attempts, due_at, type, body, reason, ended_at";

    /** Of the saga's row as {@code s}. */
    private static final String STEP_VALUES = "s.id, s.token, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS timestamptz), ?, ?, ?,"
            + " CASE WHEN ? THEN clock_timestamp() END FROM ";

    /** What {@code hapax.saga_done} is made of: number, nth, undoable, name, type, body. */
    private static final String DONE =
            "steps || CAST(ROW(now(), clock_timestamp(), s.token, CAST(? AS int), CAST(? AS int), CAST(? AS boolean), CAST(? AS text), CAST(? AS text),"
                    + " CAST(? AS bytea)) AS hapax.saga_done)";

    /** Records a step in its saga's row: {@link #DONE}, then id, token and state of the saga. */
    static final String DONE_IN_SAGA = "UPDATE hapax.saga s SET steps = s." + DONE + MINE;

    /** As {@link #DONE_IN_SAGA}, and commits, or fails if the saga is not the owner's. */
    static final String DONE_AND_COMMIT = orFail("", DONE_IN_SAGA).andCommit();

    static final int DONE_PARAMETERS = 6;

    /** Thirteen parameters of the step, then id, token and state of the saga. */
    final String step;

    /** As {@link #step}, for one that is stored already and not over. */
    final String stepAgain;

    /** Thirteen parameters of the step. */
    static final int STEP_PARAMETERS = 13;

    /** Ends a saga without a parent, or fails if it is not the owner's: id, token, state; then state, cause, reason, type and body of its end. */
    final LastStatement end;

    /** As {@link #end}, with its last step: the parameters of {@link #end}, then those of {@link #DONE}. */
    final LastStatement endWithStep;

    /** saga */
    final String steps;

    private SagaSql(long day) {
        String date = "DATE '" + Days.iso(day) + "'";
        this.step = "INSERT INTO " + Partitions.table(STEP_TREE, day) + " AS t (" + STEP_COLUMNS + ") SELECT " + date
                + ", " + STEP_VALUES + "hapax.saga s" + MINE + " FOR SHARE OF s";
        this.stepAgain = step + " ON CONFLICT (saga, name, nth, undo, day) DO UPDATE SET token = EXCLUDED.token,"
                + " state = EXCLUDED.state, undoable = EXCLUDED.undoable, attempts = EXCLUDED.attempts, due_at = EXCLUDED.due_at,"
                + " type = EXCLUDED.type, body = EXCLUDED.body, reason = EXCLUDED.reason, ended_at = EXCLUDED.ended_at"
                + " WHERE t.state IN ('OPEN', 'TRYING')";
        this.end = end(day, date, "steps");
        this.endWithStep = end(day, date, DONE);
        this.steps = "SELECT " + StepRow.COLUMNS + " FROM hapax.saga_history WHERE day = " + date
                + " AND saga = ? ORDER BY number";
    }

    /**
     * Writes many rows of one node: ids, tokens, seconds, as arrays; answers id and token of each that is still ours, with whether it was written. A row that somebody holds at this moment, such as a transaction that signals
     * its saga, is left to the next round: nobody can take it meanwhile, and the other sagas don't wait for it.
     */
    private static String ours(String set) {
        return "WITH w AS (SELECT id, token, seconds FROM unnest(CAST(? AS uuid[]), CAST(? AS bigint[]), CAST(? AS float8[])) AS u (id, token, seconds)),"
                + " free AS (SELECT g.id, w.seconds FROM w JOIN hapax.saga g ON g.id = w.id AND g.token = w.token AND g.owner IS NOT NULL"
                + " FOR UPDATE OF g SKIP LOCKED),"
                + " written AS (UPDATE hapax.saga s SET " + set + " FROM free WHERE s.id = free.id RETURNING s.id)"
                + " SELECT g.id, g.token, EXISTS (SELECT FROM written t WHERE t.id = g.id) FROM w"
                + " JOIN hapax.saga g ON g.id = w.id AND g.token = w.token AND g.owner IS NOT NULL";
    }

    /** A write of an owner that fails if it changes nothing: SQLState HX003. */
    private static LastStatement orFail(String before, String write) {
        return LastStatement.of("WITH " + before + "w AS (" + write
                + " RETURNING 1 AS mine) SELECT coalesce((SELECT mine FROM w), hapax.saga_of_another())");
    }

    private static LastStatement end(long day, String date, String steps) {
        return orFail(
                "s AS (DELETE FROM hapax.saga s" + MINE
                        + " RETURNING s.id, s.token, s.started_at, s.key_time, s.parent, s.definition, s.losses, s.scope, s.producer, s.key, s.steps), ",
                "INSERT INTO " + Partitions.table(ENDED_TREE, day)
                        + " (day, id, started_at, key_time, parent, definition, losses, scope, producer, key, state, cause, reason, result_type, result, steps)"
                        + " SELECT " + date
                        + ", s.id, s.started_at, s.key_time, s.parent, s.definition, s.losses, s.scope, s.producer, s.key, ?, ?, ?, ?, ?, s."
                        + steps + " FROM s");
    }

    static SagaSql of(long day) {
        SagaSql known = DAYS.get(day);
        return known != null ? known : DAYS.computeIfAbsent(day, SagaSql::new);
    }
}
