package dev.hapax.internal.saga;

import dev.hapax.Key;
import dev.hapax.claim.Claim;
import dev.hapax.internal.Checks;
import dev.hapax.once.Effect;
import dev.hapax.once.ValueEffect;
import dev.hapax.saga.Saga;
import dev.hapax.saga.SagaAction;
import dev.hapax.saga.SagaClaim;
import dev.hapax.saga.SagaParallel;
import dev.hapax.saga.SagaStep;
import dev.hapax.spi.Encoded;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The saga as its code sees it, in one run. Used by one thread. */
final class SagaContext implements Saga {

    private static final int NAME_MAX = 180;

    private final SagaRun run;
    private final boolean collecting;
    private final String branch;
    private final OpenLeg open;
    private final Thread thread = Thread.currentThread();
    private final Map<String, Integer> counts = new HashMap<>();
    private @Nullable String described;
    private @Nullable Unwinding unwound;
    private boolean inStep;

    /**
     * @param collecting only what was done is gone through: what comes after that ends it
     * @param branch what the names of its steps begin with; empty for the saga itself
     * @param open its transaction
     */
    SagaContext(SagaRun run, boolean collecting, String branch, OpenLeg open) {
        this.run = run;
        this.collecting = collecting;
        this.branch = branch;
        this.open = open;
    }

    @Override
    public Key key() {
        return run.saga().birth.key();
    }

    @Override
    public String name() {
        return run.definition().name();
    }

    @Override
    public int version() {
        return run.definition().version();
    }

    @Override
    public Instant startedAt() {
        return run.saga().birth.startedAt();
    }

    @Override
    public SagaAction step(String name, Effect<Exception> effect) {
        StepPlan<Boolean> plan = new StepPlan<>(name, null, tx -> {
            effect.apply(tx);
            return true;
        });
        describe(name);
        return new StepPlan.Plain(this, plan);
    }

    @Override
    public <T> SagaStep<T> step(String name, Class<T> result, ValueEffect<T, Exception> effect) {
        describe(name);
        return new StepPlan.Valued<>(this, new StepPlan<>(name, result, effect));
    }

    @Override
    public <T> SagaClaim<T> claim(String name, Class<T> answer, Claim.Action<? extends T> action) {
        describe(name);
        return new ClaimPlan<>(this, name, answer, action);
    }

    @Override
    public <T> Optional<T> child(String name, String definition, Object input, Class<T> answer) {
        return unwinding(() -> {
            check();
            Checks.name("the name of a child", name);
            Checks.name("the name of a saga", definition);
            ChildWork work = new ChildWork(run, this, next(name), definition);
            Optional<Encoded> said = work.perform(input);
            return said.map(
                    value -> run.decode("the answer of child " + work.id().shown(), value, answer));
        });
    }

    @Override
    public SagaParallel parallel() {
        unwinding(() -> {
            check();
            described = "parallel (join() is missing)";
            return run;
        });
        return new Branches(run, this);
    }

    /** A branch of this one, in its own thread. */
    SagaContext branch(StepId id) {
        return new SagaContext(run, collecting, id.shown() + ">", new OpenLeg(run));
    }

    /** How a branch with this name is known. */
    StepId branchId(String name) {
        return next(Checks.name("the name of a branch", name));
    }

    /** The branches that were described are about to be done. */
    void joining() {
        described = null;
        check();
    }

    boolean isCollecting() {
        return collecting;
    }

    OpenLeg open() {
        return open;
    }

    private void describe(String name) {
        unwinding(() -> {
            check();
            Checks.name("the name of a step", name);
            described = name;
            return name;
        });
    }

    <T> T perform(ClaimPlan<T> plan) {
        return unwinding(() -> {
            described = null;
            check();
            return new ClaimWork<>(run, this, plan, next(plan.name)).perform();
        });
    }

    <T> T perform(StepPlan<T> plan) {
        return unwinding(() -> {
            described = null;
            check();
            return new StepWork<>(run, this, plan, next(plan.name)).perform();
        });
    }

    @Override
    public void sleepUntil(String name, Instant until) {
        sleep(name, () -> until);
    }

    @Override
    public void sleep(String name, Duration time) {
        StepPlan.within("a sleep", time);
        sleep(name, () -> run.now().plus(time));
    }

    private void sleep(String name, Supplier<Instant> until) {
        unwinding(() -> {
            check();
            StepId id = next(Checks.name("the name of a sleep", name));
            StepRow known = known(id, StepRow.Kind.SLEEP);
            if (known == null) {
                checkForward();
                known = StepRow.fresh(id, StepRow.Kind.SLEEP, run.history().nextNumber())
                        .in(StepRow.State.OPEN)
                        .due(until.get());
                record(known);
            }
            Instant due = known.dueAt;
            if (due != null && due.isAfter(run.now())) {
                checkForward();
                throw Unwinding.parked(due);
            }
            return known;
        });
    }

    @Override
    public <T> Optional<T> waitFor(String signal, Class<T> type, Duration within) {
        StepPlan.within("waitFor (within)", within);
        return unwinding(() -> {
            check();
            StepId id = next(Checks.name("the name of a signal", signal));
            StepRow known = known(id, StepRow.Kind.WAIT);
            if (known == null || known.state == StepRow.State.OPEN) {
                checkForward();
                known = received(id, known, within);
            }
            return known.value == null
                    ? Optional.empty()
                    : Optional.of(run.decode("signal " + id.shown(), known.value, type));
        });
    }

    /** The wait with what came, or with nothing if its time is over; else it goes on. */
    private StepRow received(StepId id, @Nullable StepRow known, Duration within) {
        Signal signal = run.history().take(id.name());
        StepRow row = known == null
                ? StepRow.fresh(id, StepRow.Kind.WAIT, run.history().nextNumber())
                        .due(run.now().plus(within))
                : known.next();
        Instant due = row.dueAt;
        boolean over = due != null && !due.isAfter(run.now());
        if (signal == null && !over) {
            if (known == null) {
                record(row.in(StepRow.State.OPEN));
            }
            throw Unwinding.parked(due == null ? Instant.MAX : due);
        }
        row.in(StepRow.State.DONE);
        if (signal == null) {
            record(row);
        } else {
            record(row, connection -> {
                Encoded value = Signal.take(connection, run.saga().id(), signal);
                row.holding(value);
                return value != null;
            });
        }
        return row;
    }

    @Nullable
    StepRow known(StepId id, StepRow.Kind kind) {
        StepRow known = run.history().find(id);
        if (known != null && known.kind != kind) {
            throw run.changed("step " + id.shown() + " was a " + known.kind + ", and now is a " + kind);
        }
        return known;
    }

    private StepId next(String name) {
        String full = branch + name;
        if (full.length() > NAME_MAX) {
            throw run.changed("the name of step " + full + " is longer than " + NAME_MAX
                    + " characters with the branches that it lies in");
        }
        return new StepId(full, counts.merge(name, 1, Integer::sum), false);
    }

    /** The key of a step's transaction: what it publishes is a child of it. */
    Key stepKey(StepId id) {
        return run.stepKey(id);
    }

    /** What follows was not done yet. */
    void checkForward() {
        if (collecting) {
            throw Unwinding.of(Unwinding.Why.COLLECTED);
        }
        run.checkOwner();
        run.checkTime();
    }

    /** In a branch nobody waits with a commit for what the other branches do next. */
    boolean commitsAtOnce() {
        return run.isEager() || isBranch();
    }

    /** Branches commit side by side, and must not wait for each other with the saga's row. */
    boolean isBranch() {
        return !branch.isEmpty();
    }

    void commitOpen() {
        open.commit();
    }

    void keepOpen(Leg leg) {
        open.keep(leg);
    }

    /** Records a step with the next commit. */
    void record(StepRow row) {
        record(row, null);
    }

    private void record(StepRow row, Leg.@Nullable Write write) {
        try {
            Leg leg = open.leg();
            leg.record(row);
            if (write != null && !write.in(leg.connection())) {
                throw Unwinding.of(Unwinding.Why.FENCED);
            }
        } catch (SQLException e) {
            throw Unwinding.again(e);
        }
    }

    /** Runs the effect of a step, from which the saga must be left alone. */
    <T> T inside(Callable<T> effect) throws Exception {
        inStep = true;
        try {
            return effect.call();
        } finally {
            inStep = false;
        }
    }

    void check() {
        checkUnwound();
        if (Thread.currentThread() != thread) {
            throw run.changed("its code was used by another thread than its own");
        }
        if (inStep) {
            throw run.changed("a step's effect must not use the saga");
        }
        if (described != null) {
            throw run.changed("step " + described + " is described and not done: call() or run() is missing");
        }
    }

    void checkUnwound() {
        Unwinding pending = unwound;
        if (pending != null) {
            throw pending;
        }
    }

    /** The code has returned. */
    void finish() {
        unwinding(() -> {
            check();
            return run;
        });
    }

    /** Remembers what ends the run, in case that the code catches it. */
    <T> T unwinding(Supplier<T> call) {
        try {
            return call.get();
        } catch (Unwinding ending) {
            unwound = ending;
            throw ending;
        }
    }
}
