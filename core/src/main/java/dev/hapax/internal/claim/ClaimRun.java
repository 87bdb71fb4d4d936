package dev.hapax.internal.claim;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.claim.ClaimResult;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.claim.ClaimStore.Intent;
import dev.hapax.internal.claim.Held.Identity;
import dev.hapax.internal.claim.Held.Told;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.internal.once.Settlements.WorkFailure;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One caller that waits for one operation. Used by one thread, once. */
final class ClaimRun<T> {

    private static final long LOOK_FIRST_MILLIS = 5;
    private static final long LOOK_LONGEST_MILLIS = 200;
    private static final String TAKER = "+";

    private final ClaimEngine engine;
    private final ClaimSpec<T> spec;
    private final Key key;
    private final ClaimHandler<T> handler;
    private final String owner;

    /**
     * Under which it takes over what others have begun. Not that of its own intent: that one says that nobody was called yet, and what was taken over may have been, whether or not the answer of the taking was heard.
     */
    private final String taker;

    private final long leaseMillis;
    private final long deadlineNanos;
    private long lookMillis = LOOK_FIRST_MILLIS;

    ClaimRun(ClaimEngine engine, ClaimSpec<T> spec) {
        this.engine = engine;
        this.spec = spec;
        this.key = spec.key();
        this.handler = spec.handler();
        this.owner = engine.newOwner();
        this.taker = owner + TAKER;
        this.leaseMillis = handler.policy().lease().toMillis();
        this.deadlineNanos = SystemSource.INSTANCE.nanos() + spec.limit().toNanos();
    }

    ClaimResult<T> run() {
        while (true) {
            Marker marker = engine.settlements.retried(key, () -> engine.place(key));
            Optional<Held> begun = begin(marker);
            if (begun.isPresent()) {
                return work(begun.get());
            }
            Look look = engine.settler.look(key, marker);
            Look.Ended ended = look.ended();
            if (ended != null) {
                Look.Row rest = look.row();
                if (rest != null && rest.isLeft()) {
                    // An intent that its process did not live to take back. Whoever takes it finds the marker, and lets
                    // go.
                    ours(marker, rest);
                }
                Settlements.checkSame(key, spec.fingerprint(), ended.fingerprint());
                return engine.settler.replay(key, marker, ended, handler.type());
            }
            Look.Row row = look.row();
            if (row != null) {
                Settlements.checkSame(key, spec.fingerprint(), row.fingerprint());
                Optional<Held> ours = ours(marker, row);
                if (ours.isPresent()) {
                    return work(ours.get());
                }
                ClaimResult<T> result = meet(row);
                if (result != null) {
                    return result;
                }
            } else if (leftMillis() <= 0) {
                // Given up by others again and again, in the moment between two looks.
                throw inProgress("it was waited for " + spec.limit());
            }
        }
    }

    private long leftMillis() {
        return TimeUnit.NANOSECONDS.toMillis(deadlineNanos - SystemSource.INSTANCE.nanos());
    }

    private Optional<Held> begin(Marker marker) {
        Intent intent = new Intent(key, owner, leaseMillis, spec.fingerprint(), spec.request());
        return engine.settlements.retried(
                key,
                () -> engine.settlements.connections().autoCommit(connection -> {
                    try {
                        return engine.store.begin(connection, marker, intent);
                    } catch (SQLException e) {
                        if (SqlFaults.isUndefinedTable(e)) {
                            engine.settlements.forget(marker);
                        }
                        throw e;
                    }
                }));
    }

    /** A claim that is ours, because its commit went unheard, or because nobody works on it and we took it (again, if that went unheard). */
    private Optional<Held> ours(Marker marker, Look.Row row) {
        if (owner.equals(row.owner())) {
            return Optional.of(own(marker, row));
        }
        boolean canGoOn = row.known()
                || row.state() == ClaimState.CLAIMED
                || handler.canAsk()
                || handler.policy().isIdempotent();
        if (row.isLeft() || taker.equals(row.owner()) || !row.isOwned() && canGoOn) {
            return engine.settlements.retried(
                    key,
                    () -> engine.settlements
                            .connections()
                            .autoCommit(connection -> engine.taking.take(connection, marker, taker, leaseMillis)));
        }
        return Optional.empty();
    }

    /** Our own intent, whose commit went unheard: its call was not made. */
    private Held own(Marker marker, Look.Row row) {
        Held held = new Held(
                Identity.of(marker, key),
                row.token(),
                leaseMillis,
                new Told(row.claimedAt(), spec.request(), spec.fingerprint()));
        held.attempts = row.attempts();
        held.mayCall = true;
        long now = SystemSource.INSTANCE.nanos();
        ClaimStore.lease(held, now);
        held.leasedUntilNanos = now
                + TimeUnit.MILLISECONDS.toNanos(row.dueMillis() == null ? 0 : row.dueMillis() - LOOK_LONGEST_MILLIS);
        return held;
    }

    /** Somebody else has it, or nobody can do anything about it. Waits a little; returns null to look again. */
    private @Nullable ClaimResult<T> meet(Look.Row row) {
        if (!row.isOwned() && row.state() == ClaimState.IN_DOUBT) {
            return ClaimEngine.inDoubt(key, row);
        }
        if (!spec.waits()) {
            throw inProgress("the caller chose not to wait");
        }
        long left = leftMillis();
        if (left <= 0) {
            if (row.state() == ClaimState.IN_DOUBT) {
                return ClaimEngine.inDoubt(key, row);
            }
            throw inProgress("it was waited for " + spec.limit());
        }
        pause(Math.min(left, lookMillis));
        lookMillis = Math.min(LOOK_LONGEST_MILLIS, lookMillis * 2);
        return null;
    }

    private InProgressException inProgress(String waited) {
        return new InProgressException(
                key,
                "key " + key + " is claimed by another caller or worker at this moment, and " + waited
                        + ". Nothing was called; call again later with the same key for its answer");
    }

    private ClaimResult<T> work(Held held) {
        Running running = engine.keeper.begin(held);
        try {
            int calls = 0;
            while (true) {
                int before = held.attempts;
                Step<T> step = engine.runner.step(running, handler);
                if (step instanceof Step.Finished<T> finished) {
                    return finished.result();
                }
                Step.Later<T> later = (Step.Later<T>) step;
                calls += held.attempts > before || calls == 0 ? 1 : 0;
                held.lastError = later.error();
                Long wait = later.waitMillis();
                held.waits++;
                if (wait == null
                        || wait >= leftMillis()
                        || calls >= handler.policy().attempts()) {
                    return conclude(held, later);
                }
                pause(wait);
            }
        } catch (WorkFailure e) {
            keepAnswer(held, e);
            throw Settlements.asThrown(e.thrown);
        } finally {
            engine.keeper.end(running);
        }
    }

    /** This caller goes no further: says how things stand. */
    private ClaimResult<T> conclude(Held held, Step.Later<T> later) {
        // What is stored is not given up with its caller, even if somebody else has stored it: workers go on with it.
        if (!held.uncertain && held.request == null) {
            write(
                    held,
                    () -> engine.settlements
                            .connections()
                            .autoCommit(connection -> engine.store.release(connection, held)));
            throw new RetryException(
                    "the other system certainly did nothing for key " + key + ", and went on failing (" + later.error()
                            + "); call again with the same key",
                    later.cause());
        }
        Long wait = later.waitMillis();
        write(
                held,
                () -> engine.settlements
                        .connections()
                        .autoCommit(connection -> engine.store.putOff(connection, held, wait)));
        if (!held.uncertain) {
            throw new InProgressException(
                    key,
                    "key " + key + " is not done yet (" + later.error()
                            + "), and workers go on with it; call again later with the same key for its answer");
        }
        Instant since = held.doubtSince;
        return new ClaimResult.InDoubt<>(key, since == null ? held.claimedAt : since, held.attempts, later.error());
    }

    private void write(Held held, Settlements.Attempt<Boolean> attempt) {
        if (!engine.settlements.retried(key, attempt)) {
            throw engine.settler.fenced(held, "it could be written how the call ended");
        }
    }

    /** The other system has answered, and our own effects failed: the answer is kept, so that nobody has to ask or call again. */
    private void keepAnswer(Held held, WorkFailure failure) {
        if (failure.thrown instanceof Error) {
            return;
        }
        held.lastError = "settling failed: " + failure.thrown;
        try {
            write(
                    held,
                    () -> engine.settlements
                            .connections()
                            .autoCommit(connection -> engine.store.putOff(
                                    connection,
                                    held,
                                    handler.policy().backoffFirst().toMillis())));
        } catch (RuntimeException e) {
            failure.thrown.addSuppressed(e);
        }
    }

    private void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RetryException(
                    "interrupted while waiting for key " + key + "; call again with the same key for its answer", e);
        }
    }
}
