package dev.hapax.internal.saga;

import dev.hapax.RetryException;
import dev.hapax.internal.Reasons;
import dev.hapax.saga.SagaStepFailedException;
import dev.hapax.spi.Encoded;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** Starts a child, or looks what has become of it. It is started in the commit that records that it was begun. Used by the thread of its context. */
final class ChildWork {

    private final SagaRun run;
    private final SagaContext context;
    private final StepId id;
    private final String definition;

    ChildWork(SagaRun run, SagaContext context, StepId id, String definition) {
        this.run = run;
        this.context = context;
        this.id = id;
        this.definition = definition;
    }

    /** The id of a child's key: so it is found by its parent. */
    static String key(SagaRun parent, StepId step) {
        return parent.stepKey(step, Instant.EPOCH).id();
    }

    StepId id() {
        return id;
    }

    /** Its answer, once it has one. */
    Optional<Encoded> perform(Object input) {
        StepRow known = context.known(id, StepRow.Kind.CHILD);
        if (known != null && known.state.isOver()) {
            return read(known);
        }
        context.checkForward();
        try {
            if (known == null) {
                start(input);
                throw Unwinding.parked(Instant.MAX);
            }
            return look(known);
        } catch (SQLException | RetryException e) {
            throw Unwinding.again(e);
        }
    }

    /**
     * What a child is started as.
     *
     * @param definition of the child
     */
    record Order(String definition, Object input) {}

    private void start(Object input) throws SQLException {
        context.commitOpen();
        Order order = new Order(definition, input);
        SagaRow child = run.engine().child(run, run.stepKey(id, run.now().truncatedTo(ChronoUnit.MICROS)), order);
        Leg leg = context.open().leg();
        run.engine().startChild(leg.connection(), child, order);
        leg.record(StepRow.fresh(id, StepRow.Kind.CHILD, run.history().nextNumber())
                .in(StepRow.State.OPEN));
    }

    private Optional<Encoded> look(StepRow known) throws SQLException {
        ChildSql.Child child = run.ground()
                .connections()
                .autoCommit(connection -> Optional.ofNullable(ChildSql.look(connection, run.saga(), key(run, id))))
                .orElse(null);
        if (child == null) {
            throw Unwinding.changed("child " + id.shown() + " is not there any more");
        }
        if (!child.definition().equals(definition)) {
            throw run.changed(
                    "child " + id.shown() + " was a saga " + child.definition() + ", and now is a " + definition);
        }
        StepRow row = switch (child.state()) {
            case COMPLETED -> known.next().in(StepRow.State.DONE).holding(child.result());
            case COMPENSATED, CANCELLED ->
                known.next()
                        .in(StepRow.State.FAILED)
                        .because(Reasons.cut("it was " + child.state() + ": " + child.reason()));
            default -> throw Unwinding.parked(Instant.MAX);
        };
        context.record(row);
        return read(row);
    }

    private Optional<Encoded> read(StepRow row) {
        if (row.state == StepRow.State.FAILED) {
            throw new SagaStepFailedException(id.shown(), String.valueOf(row.reason));
        }
        return Optional.ofNullable(row.value);
    }
}
