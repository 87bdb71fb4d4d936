package dev.hapax.internal.saga;

import dev.hapax.internal.Connections;
import dev.hapax.internal.log.Lanes;
import dev.hapax.internal.once.ActiveTransaction;
import dev.hapax.saga.SagaState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * One transaction of a saga's owner. Its effects come first; what records them is written at its end, just before the commit, and only if the saga is still the owner's: so the saga's row is held for a moment. Used by one
 * thread.
 */
final class Leg {

    private final SagaRun run;
    private final Connection connection;
    private final boolean autoCommitBefore;
    private final ActiveTransaction tx;
    private final boolean starting;
    private final List<StepRow> steps = new ArrayList<>(2);
    private boolean open = true;

    private Leg(SagaRun run, Connection connection, boolean autoCommitBefore, boolean starting) {
        this.run = run;
        this.connection = connection;
        this.autoCommitBefore = autoCommitBefore;
        this.starting = starting;
        this.tx = new ActiveTransaction(connection, run.ground().shared());
    }

    /** Begins one; the first of a saga also starts it. */
    static Leg begin(SagaRun run) throws SQLException {
        Connection connection = run.ground().connections().borrow();
        boolean before = false;
        try {
            before = Connections.begin(connection);
            boolean starting = run.startIn(connection);
            return new Leg(run, connection, before, starting);
        } catch (Throwable failure) {
            Connections.rollback(connection, failure);
            Connections.end(connection, before);
            close(connection, failure);
            throw failure;
        }
    }

    private static void close(Connection connection, Throwable failure) {
        try {
            connection.close();
        } catch (SQLException e) {
            failure.addSuppressed(e);
        }
    }

    ActiveTransaction tx() {
        return tx;
    }

    Connection connection() {
        return connection;
    }

    /** Records a step with this commit. */
    void record(StepRow step) {
        steps.add(step);
    }

    /** @throws Unwinding if the saga has another owner, or another state; nothing is committed then */
    void commit() throws SQLException {
        StepRow last = steps.isEmpty() ? null : steps.getLast();
        if (last == null || !last.inSaga || !endsWithoutMessages()) {
            write(steps);
            finish();
            return;
        }
        write(steps.subList(0, steps.size() - 1));
        orFenced(() -> SagaStore.stepAndCommit(connection, run.saga(), last));
        over(Lanes.NONE);
    }

    /**
     * Commits, and puts the saga to sleep.
     *
     * @return false if something has come for it meanwhile, or it is no longer ours: then what was to be recorded is recorded all the same if it is ours, and it does not sleep
     */
    boolean commitAndPark(SagaState parked, Instant due) throws SQLException {
        write(steps);
        boolean commits = endsWithoutMessages();
        boolean sleeps = SagaStore.park(connection, run.saga(), parked, due, commits);
        end(commits);
        return sleeps;
    }

    /** Commits, and ends the saga. */
    void commitAndEnd(SagaStore.Ending ending) throws SQLException {
        StepRow last = steps.isEmpty() ? null : steps.getLast();
        boolean together = last != null && last.inSaga && run.saga().kin.root() == null;
        write(together ? steps.subList(0, steps.size() - 1) : steps);
        if (run.saga().kin.root() != null) {
            check(ChildSql.end(connection, run.saga(), ending));
            finish();
            return;
        }
        if (run.hasChildren()) {
            ChildSql.endFamily(connection, run.saga().id());
        }
        boolean commits = endsWithoutMessages();
        orFenced(() -> SagaStore.end(connection, run.saga(), ending, together ? last : null, commits));
        end(commits);
    }

    /** Whether what records the steps may commit as well: else messages come after it, whose numbers are drawn when the transaction has written something. The effects are over then. */
    private boolean endsWithoutMessages() throws SQLException {
        if (tx.size() > 0) {
            return false;
        }
        tx.flush();
        return true;
    }

    private void end(boolean committed) throws SQLException {
        if (committed) {
            over(Lanes.NONE);
        } else {
            finish();
        }
    }

    /** A write that fails if the saga is not the owner's. */
    @FunctionalInterface
    private interface Guarded {
        void run() throws SQLException;
    }

    private static void orFenced(Guarded write) throws SQLException {
        try {
            write.run();
        } catch (SQLException e) {
            if (SagaStore.isOfAnother(e)) {
                throw Unwinding.of(Unwinding.Why.FENCED);
            }
            throw e;
        }
    }

    /** What else an owner writes in its transaction. */
    @FunctionalInterface
    interface Write {
        /** @return false if the saga is no longer the owner's */
        boolean in(Connection connection) throws SQLException;
    }

    /** Commits, with another write of the owner's. */
    void commitWith(Write write) throws SQLException {
        write(steps);
        check(write.in(connection));
        finish();
    }

    private void write(List<StepRow> rows) throws SQLException {
        for (StepRow step : rows) {
            check(SagaStore.step(connection, run.saga(), step));
        }
    }

    private static void check(boolean mine) {
        if (!mine) {
            throw Unwinding.of(Unwinding.Why.FENCED);
        }
    }

    private void finish() throws SQLException {
        over(tx.flushAndCommit());
    }

    /**
     * It is committed.
     *
     * @param published the lanes in which there are new messages
     */
    private void over(int published) throws SQLException {
        run.committed(starting, steps);
        run.ground().telling().signals().published(published);
        open = false;
        Connections.end(connection, autoCommitBefore);
        connection.close();
    }

    /** Gives up what is not committed. */
    void rollback(Throwable failure) {
        if (open) {
            open = false;
            Connections.rollback(connection, failure);
            Connections.end(connection, autoCommitBefore);
            close(connection, failure);
        }
    }
}
