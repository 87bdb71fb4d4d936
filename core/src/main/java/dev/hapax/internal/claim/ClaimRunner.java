package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Probe;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Metrics.Claiming;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes the next step with a claim that is ours: settle what is known, ask, call. No transaction is open while the caller's code runs.
 *
 * <p>The order is what makes it safe. That a call begins is committed before it is made, so whoever comes after a crash sees that it may have been. A claim that was called before is asked about before it is called again; and
 * "not done" of a system that would do its work twice is believed only when nothing that was sent can still arrive. A call whose lease has run out by our own measure is not made: this process stood still, and
 * somebody else may be asking.
 */
final class ClaimRunner {

    private final Settlements settlements;
    private final ClaimStore store;
    private final ClaimSettler settler;
    private final CallWatch watch;

    ClaimRunner(Settlements settlements, ClaimStore store, ClaimSettler settler, CallWatch watch) {
        this.settlements = settlements;
        this.store = store;
        this.settler = settler;
        this.watch = watch;
    }

    /** Used by the thread that works on the claim. */
    <T> Step<T> step(Running running, ClaimHandler<T> handler) {
        Held held = running.held;
        Known known = held.known;
        if (known != null) {
            return new Step.Finished<>(settler.settle(held, known, handler, null));
        }
        if (held.mayCall) {
            return callFirst(running, handler);
        }
        if (!held.uncertain) {
            return callAgain(running, handler);
        }
        if (handler.canAsk()) {
            return afterAnswer(running, handler, ask(running, handler));
        }
        return handler.policy().isIdempotent()
                ? callAgain(running, handler)
                : new Step.Later<>(
                        null,
                        held.lastError != null
                                ? held.lastError
                                : "a call was begun and its owner is gone; the other system can't be asked, and would do it twice",
                        null);
    }

    private <T> Step<T> afterAnswer(Running running, ClaimHandler<T> handler, Asked<T> asked) {
        Held held = running.held;
        CallPolicy policy = handler.policy();
        return switch (asked.probe) {
            case Probe.Done<T> done -> settle(held, handler, done.value());
            case Probe.Refused<T> refused -> refuse(held, handler, refused.reason());
            case Probe.Unknown<T> unknown ->
                policy.isIdempotent()
                        ? callAgain(running, handler)
                        : new Step.Later<>(pause(held, policy), asked.error, asked.cause);
            case Probe.NotDone<T> notDone -> {
                long arriving =
                        policy.isIdempotent() ? 0 : policy.arrivesWithin().toMillis() - sinceMillis(held.calledNanos);
                if (arriving > 0) {
                    yield new Step.Later<>(
                            Math.min(arriving, pause(held, policy)),
                            "not done yet, but the last call may still be on its way",
                            null);
                }
                held.uncertain = false;
                yield callAgain(running, handler);
            }
        };
    }

    private record Asked<T>(
            Probe<T> probe, String error, @Nullable Exception cause) {}

    private <T> Asked<T> ask(Running running, ClaimHandler<T> handler) {
        Held held = running.held;
        CallPolicy policy = handler.policy();
        try {
            Probe<T> said = watch.timed(running.call, policy, () -> handler.ask(call(held, policy)));
            return new Asked<>(said, "the other system can't say", null);
        } catch (Exception e) {
            return new Asked<>(Probe.unknown(), "asking failed: " + CallWatch.words(running.call, policy, e), e);
        }
    }

    private <T> Step<T> callFirst(Running running, ClaimHandler<T> handler) {
        try (Permit permit = Permit.of(handler.policy().breaker())) {
            return permit.isGiven() ? callNow(running, handler, permit) : open(running.held, handler);
        }
    }

    private <T> Step<T> callAgain(Running running, ClaimHandler<T> handler) {
        Held held = running.held;
        try (Permit permit = Permit.of(handler.policy().breaker())) {
            if (!permit.isGiven()) {
                return open(held, handler);
            }
            ClaimState state = held.uncertain ? held.state : ClaimState.CLAIMED;
            boolean ours = settlements.retried(
                    held.key,
                    () -> settlements
                            .connections()
                            .autoCommit(connection -> store.beginAgain(connection, held, state)));
            if (!ours) {
                throw settler.fenced(held, "its next call could be begun; nothing was called");
            }
            return callNow(running, handler, permit);
        }
    }

    /** The breaker is open. */
    private static <T> Step<T> open(Held held, ClaimHandler<T> handler) {
        long wait = handler.policy().breaker().opensIn().toMillis();
        return new Step.Later<>(
                Math.max(wait, pause(held, handler.policy())),
                "the circuit breaker is open, so the other system was not called",
                null);
    }

    private <T> Step<T> callNow(Running running, ClaimHandler<T> handler, Permit permit) {
        Held held = running.held;
        CallPolicy policy = handler.policy();
        long now = SystemSource.INSTANCE.nanos();
        if (now - held.leasedUntilNanos >= 0) {
            throw settler.fenced(
                    held,
                    "its call was made; this process stood still for longer than its lease, and nothing was called");
        }
        boolean before = held.uncertain;
        held.mayCall = false;
        held.uncertain = true;
        T answer;
        try {
            answer = watch.timed(running.call, policy, () -> handler.perform(call(held, policy)));
        } catch (Exception e) {
            return afterFailure(running, handler, permit, e, before);
        } finally {
            settlements.metrics().callNanos(held.key.scope(), SystemSource.INSTANCE.nanos() - now);
        }
        permit.succeeded();
        return settle(held, handler, answer);
    }

    /** @param before whether an earlier call may have taken effect */
    private <T> Step<T> afterFailure(
            Running running, ClaimHandler<T> handler, Permit permit, Exception failure, boolean before) {
        Held held = running.held;
        CallPolicy policy = handler.policy();
        if (failure instanceof NotCalledException) {
            return refuse(held, handler, failure.getMessage());
        }
        if (policy.refuses(failure)) {
            permit.succeeded();
            return refuse(held, handler, failure.getMessage());
        }
        permit.failed(failure);
        String error = CallWatch.words(running.call, policy, failure);
        if (policy.didNotHappen(failure)) {
            held.uncertain = before;
            return new Step.Later<>(pause(held, policy), error, failure);
        }
        settlements.metrics().claim(held.key.scope(), Claiming.IN_DOUBT);
        boolean canGoOn = policy.isIdempotent() || handler.canAsk();
        return new Step.Later<>(canGoOn ? pause(held, policy) : null, error, failure);
    }

    private <T> Step<T> settle(Held held, ClaimHandler<T> handler, @Nullable T answer) {
        if (answer == null) {
            return new Step.Later<>(
                    null, "the call gave null for an answer; whether it took effect is for a person to find out", null);
        }
        Known known;
        try {
            known = Known.done(settlements.encode(held.key, answer));
        } catch (IllegalArgumentException e) {
            return new Step.Later<>(
                    null,
                    Reasons.cut("the other system has answered, and its answer can't be stored: " + e.getMessage()),
                    e);
        }
        return new Step.Finished<>(settler.settle(held, known, handler, answer));
    }

    private <T> Step<T> refuse(Held held, ClaimHandler<T> handler, @Nullable String reason) {
        return new Step.Finished<>(settler.settle(held, Known.refused(reason), handler, null));
    }

    /** Doubling from the first to the longest, cut at random by up to a half, so that many that failed together don't come back together. */
    static long pause(Held held, CallPolicy policy) {
        long longest = policy.backoffLongest().toMillis();
        int doublings = Math.min(held.waits, 40);
        long first = policy.backoffFirst().toMillis();
        long wait = first << doublings;
        // A shift that ran over shows as a value that no longer shifts back.
        long bounded = wait >> doublings == first ? Math.min(wait, longest) : longest;
        return Math.max(1, bounded - SystemSource.INSTANCE.jitter(bounded / 2 + 1));
    }

    private static long sinceMillis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(SystemSource.INSTANCE.nanos() - nanos);
    }

    private Call call(Held held, CallPolicy policy) {
        return new OneCall(settlements, held.key, held.attempts, held.token, deadline(policy));
    }

    /** A call of which the database knows nothing. */
    static Call oneCall(Settlements settlements, Key key, CallPolicy policy) {
        return new OneCall(settlements, key, 1, 0, deadline(policy));
    }

    private static Instant deadline(CallPolicy policy) {
        return SystemSource.INSTANCE.instant().plus(policy.callWithin());
    }

    /** The name of the child whose id the other system is given. Never to be changed: a process of a newer version must call with the same one. */
    private static final String IDEMPOTENCY = "call";

    private record OneCall(Settlements settlements, Key key, int attempt, long fencingToken, Instant deadline)
            implements Call {

        /** Derived when it is asked for: the hash costs more than all else that is made for a call. */
        @Override
        public String idempotencyKey() {
            return ChildIds.own(settlements.withProducer(key), IDEMPOTENCY).toString();
        }
    }
}
