package dev.hapax.internal.saga;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a saga has done so far, and what has come for it. Safe for use by the threads of its branches. */
final class History {

    /** The most steps of one saga, compensations included: a loop without an end is a mistake. */
    static final int STEPS_MAX = 10_000;

    /** A saga's row must stay so small that a new version of it fits into its page. */
    private static final int IN_SAGA_BYTES_MAX = 1_200;

    private final Map<StepId, StepRow> steps = new HashMap<>();
    private final List<Signal> signals = new ArrayList<>();
    private int last;
    private int inSagaBytes;
    private boolean children;

    /** All of it, in one query, and in a second one the signals where there are any. */
    static History load(Connection connection, SagaRow saga) throws SQLException {
        History history = new History();
        SagaStore.steps(connection, saga).forEach(history::put);
        if (saga.pokes > 0) {
            history.loadSignals(connection, saga.id());
        }
        return history;
    }

    private void loadSignals(Connection connection, UUID saga) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT id, name FROM hapax.saga_signal WHERE saga = ? AND NOT taken ORDER BY number")) {
            select.setObject(1, saga);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    signals.add(new Signal(row.getObject(1, UUID.class), row.getString(2)));
                }
            }
        }
    }

    synchronized @Nullable StepRow find(StepId id) {
        return steps.get(id);
    }

    synchronized void put(StepRow step) {
        steps.put(step.id, step);
        last = Math.max(last, step.number);
        children |= step.kind == StepRow.Kind.CHILD;
        if (step.inSaga) {
            inSagaBytes += step.bytes();
        }
    }

    /** Whether a step, when it is done, has a place in its saga's row. */
    synchronized boolean fitsInSaga(StepRow step) {
        return inSagaBytes + step.bytes() <= IN_SAGA_BYTES_MAX;
    }

    synchronized int nextNumber() {
        if (last >= STEPS_MAX) {
            throw Unwinding.changed("it has more than " + STEPS_MAX + " steps; is there a loop without an end?");
        }
        return ++last;
    }

    /** Takes the first signal of this name out. */
    synchronized @Nullable Signal take(String name) {
        for (Iterator<Signal> all = signals.iterator(); all.hasNext(); ) {
            Signal signal = all.next();
            if (signal.name().equals(name)) {
                all.remove();
                return signal;
            }
        }
        return null;
    }

    synchronized boolean hasOpenChildren() {
        return steps.values().stream()
                .anyMatch(
                        step -> step.kind == StepRow.Kind.CHILD && step.state == StepRow.State.OPEN && !step.id.undo());
    }

    synchronized boolean hasChildren() {
        return children;
    }

    private static boolean isToUndo(StepRow step) {
        return switch (step.kind) {
            case STEP -> step.undoable && step.state == StepRow.State.DONE;
            case CLAIM -> !step.state.isOver() || step.undoable && step.state == StepRow.State.DONE;
            case CHILD -> !step.state.isOver() || step.state == StepRow.State.DONE;
            case SLEEP, WAIT -> false;
        };
    }

    /** What is done and not undone, or may be, the last first. */
    synchronized List<StepRow> toUndo() {
        return steps.values().stream()
                .filter(step -> !step.id.undo() && isToUndo(step))
                .filter(step -> {
                    StepRow undo = steps.get(step.id.undoing());
                    return undo == null || !undo.state.isOver();
                })
                .sorted(Comparator.comparingInt((StepRow step) -> step.number).reversed())
                .toList();
    }
}
