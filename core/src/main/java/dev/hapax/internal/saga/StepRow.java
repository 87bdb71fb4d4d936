package dev.hapax.internal.saga;

import dev.hapax.spi.Encoded;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/** A step, as it is stored or is about to be. Used by one thread at a time. */
final class StepRow {

    static final String COLUMNS =
            "name, nth, undo, number, kind, state, undoable, attempts, due_at, type, body, reason, began_at, ended_at, token, in_saga";

    private static final int ROW_BYTES = 80;

    enum Kind {
        STEP,
        SLEEP,
        WAIT,
        CHILD,
        CLAIM;

        /** Whether it has an effect, here or elsewhere. */
        boolean isWork() {
            return this == STEP || this == CLAIM;
        }
    }

    enum State {
        /** A sleep, a wait or a child that was begun. */
        OPEN,
        /** It failed, and is tried again. */
        TRYING,
        DONE,
        /** It failed for good. */
        FAILED,
        /** A person has decided that it is not undone. */
        SKIPPED;

        boolean isOver() {
            return this != OPEN && this != TRYING;
        }
    }

    final StepId id;
    final Kind kind;
    /** Whether there is a row of it. */
    final boolean stored;

    int number;
    State state = State.DONE;
    boolean undoable;
    int attempts = 1;

    @Nullable
    Instant dueAt;

    @Nullable
    Encoded value;

    @Nullable
    String reason;

    @Nullable
    Instant beganAt;

    @Nullable
    Instant endedAt;

    long token;

    /** It lies in its saga's row; else it is a row of its own. */
    boolean inSaga;

    private StepRow(StepId id, Kind kind, boolean stored) {
        this.id = id;
        this.kind = kind;
        this.stored = stored;
    }

    static StepRow fresh(StepId id, Kind kind, int number) {
        StepRow row = new StepRow(id, kind, false);
        row.number = number;
        return row;
    }

    /** The same, as it is about to be written over. */
    StepRow next() {
        StepRow row = new StepRow(id, kind, true);
        row.number = number;
        row.undoable = undoable;
        row.attempts = attempts;
        row.dueAt = dueAt;
        row.beganAt = beganAt;
        return row;
    }

    StepRow in(State next) {
        state = next;
        return this;
    }

    StepRow because(String why) {
        reason = why;
        return this;
    }

    StepRow due(@Nullable Instant at) {
        dueAt = at;
        return this;
    }

    StepRow holding(@Nullable Encoded result) {
        value = result;
        return this;
    }

    /** About how many bytes it takes. */
    int bytes() {
        int bytes = ROW_BYTES + id.name().length();
        return value == null ? bytes : bytes + value.type().length() + value.body().length;
    }

    static StepRow read(ResultSet row) throws SQLException {
        StepRow step = new StepRow(
                new StepId(row.getString(1), row.getInt(2), row.getBoolean(3)), Kind.valueOf(row.getString(5)), true);
        step.number = row.getInt(4);
        step.state = State.valueOf(row.getString(6));
        step.undoable = row.getBoolean(7);
        step.attempts = row.getInt(8);
        step.dueAt = instant(row, 9);
        String type = row.getString(10);
        step.value = type == null ? null : new Encoded(type, row.getBytes(11));
        step.reason = row.getString(12);
        step.beganAt = instant(row, 13);
        step.endedAt = instant(row, 14);
        step.token = row.getLong(15);
        step.inSaga = row.getBoolean(16);
        return step;
    }

    static @Nullable Instant instant(ResultSet row, int at) throws SQLException {
        OffsetDateTime time = row.getObject(at, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
