package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.saga.SagaState;
import dev.hapax.spi.Encoded;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A saga in flight, as its owner knows it. What can change is changed by its run alone. */
final class SagaRow {

    static final String COLUMNS =
            "s.id, s.scope, s.producer, s.key, s.key_time, s.definition, s.day, s.started_at, s.deadline_at, s.parent, s.root,"
                    + " s.input_type, s.input, s.token, s.state, s.cause, s.reason, s.pokes, s.losses, s.owner";

    /** Why it is compensated. */
    enum Cause {
        FAILED,
        TIMED_OUT,
        CANCELLED
    }

    /**
     * What never changes.
     *
     * @param key with its producer
     * @param day of its start, in days since 1970
     * @param deadlineAt {@link Instant#MAX} without one
     */
    record Birth(UUID id, Key key, int definition, long day, Instant startedAt, Instant deadlineAt) {}

    /**
     * Whose child it is.
     *
     * @param parent who waits for it
     * @param root the first of those
     */
    record Kin(@Nullable UUID parent, @Nullable UUID root) {

        static final Kin NONE = new Kin(null, null);
    }

    final Birth birth;
    final Kin kin;
    final Encoded input;
    final long token;
    SagaState state;

    @Nullable
    Cause cause;

    @Nullable
    String reason;

    int pokes;
    int losses;

    @Nullable
    UUID owner;

    private SagaRow(Birth birth, Kin kin, Encoded input, long token, SagaState state) {
        this.birth = birth;
        this.kin = kin;
        this.input = input;
        this.token = token;
        this.state = state;
    }

    /** One that is about to be started. */
    static SagaRow fresh(Birth birth, Kin kin, Encoded input, @Nullable UUID owner) {
        SagaRow row = new SagaRow(birth, kin, input, 1, owner == null ? SagaState.WAITING : SagaState.RUNNING);
        row.owner = owner;
        return row;
    }

    static SagaRow read(ResultSet row) throws SQLException {
        Key key = key(row.getString(2), row.getString(3), row.getString(4), StepRow.instant(row, 5));
        OffsetDateTime deadline = row.getObject(9, OffsetDateTime.class);
        SagaRow saga = new SagaRow(
                new Birth(
                        row.getObject(1, UUID.class),
                        key,
                        row.getInt(6),
                        row.getObject(7, LocalDate.class).toEpochDay(),
                        row.getObject(8, OffsetDateTime.class).toInstant(),
                        deadline.equals(OffsetDateTime.MAX) ? Instant.MAX : deadline.toInstant()),
                new Kin(row.getObject(10, UUID.class), row.getObject(11, UUID.class)),
                new Encoded(row.getString(12), row.getBytes(13)),
                row.getLong(14),
                SagaState.valueOf(row.getString(15)));
        String cause = row.getString(16);
        saga.cause = cause == null ? null : Cause.valueOf(cause);
        saga.reason = row.getString(17);
        saga.pokes = row.getInt(18);
        saga.losses = row.getInt(19);
        saga.owner = row.getObject(20, UUID.class);
        return saga;
    }

    static Key key(String scope, String producer, String id, @Nullable Instant time) {
        Key key = Key.of(scope, id).producer(producer);
        return time == null || key.time().isPresent() ? key : key.at(time);
    }

    UUID id() {
        return birth.id();
    }

    /** The first of its family: itself, if nobody waits for it. */
    UUID root() {
        return kin.root() == null ? birth.id() : kin.root();
    }

    /** The one way from state to state: nothing else sets it. */
    void become(SagaState next) {
        if (!state.canBecome(next)) {
            throw new IllegalStateException("a saga that is " + state + " can't become " + next);
        }
        state = next;
    }

    /** What a compensation ends in. */
    SagaState undone() {
        return cause == Cause.CANCELLED ? SagaState.CANCELLED : SagaState.COMPENSATED;
    }
}
