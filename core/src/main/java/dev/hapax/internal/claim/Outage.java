package dev.hapax.internal.claim;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimResult;
import dev.hapax.claim.Probe;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a kind does while the database can't be reached: it calls all the same, with the same derived key, and keeps a journal. The other system honours the key, so a call that another process has made, or will make, is
 * no second effect. Safe for use by many threads.
 */
final class Outage<R, T> {

    private static final Logger LOG = LoggerFactory.getLogger(Outage.class);
    private static final long DOWN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final KindSettings<R, T> settings;
    private final Settlements settlements;
    private final OutageJournal journal;
    private final Set<Key> running = ConcurrentHashMap.newKeySet();
    private volatile long downUntilNanos = SystemSource.INSTANCE.nanos();

    Outage(KindSettings<R, T> settings, OutageJournal journal) {
        this.settings = settings;
        this.settlements = settings.engine.settlements;
        this.journal = journal;
    }

    /** Whether the failure is that the database can't be reached. */
    boolean isMeantBy(RetryException failure) {
        SQLException sql = SqlFaults.find(failure);
        boolean down = sql != null && SqlFaults.isUnreachable(sql);
        if (down) {
            downUntilNanos = SystemSource.INSTANCE.nanos() + DOWN_NANOS;
        }
        return down;
    }

    /** Whether it was so a moment ago, so that asking once more would only take time. */
    boolean isDown() {
        return downUntilNanos - SystemSource.INSTANCE.nanos() > 0;
    }

    /** It is reached again. Told before entries are crossed out: a caller that finds none must not take that for "never called". */
    void up() {
        downUntilNanos = SystemSource.INSTANCE.nanos();
    }

    OutageJournal journal() {
        return journal;
    }

    /** Whether a call of this process with the key runs at this moment. */
    boolean isRunning(Key key) {
        return running.contains(key);
    }

    /** Calls without the database; empty if that has come back meanwhile. */
    Optional<ClaimResult<T>> settle(Key given, R request, byte[] fingerprint, Encoded encoded) {
        Key key = settlements.withProducer(given);
        if (!running.add(key)) {
            throw new InProgressException(
                    key,
                    "key " + key
                            + " is being called by another caller of this process; call again later with the same key");
        }
        try {
            if (!isDown()) {
                return Optional.empty();
            }
            Optional<OutageJournal.Entry> before = journal.last(key);
            if (before.isPresent()) {
                Settlements.checkSame(given, fingerprint, before.get().call().fingerprint());
                Known known = before.get().known();
                if (known == null) {
                    known = ask(given, before.get(), request);
                }
                if (known != null) {
                    return Optional.of(result(given, known));
                }
            }
            return Optional.of(call(given, new OutageJournal.Call(key, fingerprint, encoded), request));
        } catch (IOException e) {
            throw new RetryException(
                    "the database can't be reached, and neither can the journal of outages, so key " + key
                            + " was not called (or nobody knows how its call ended); call again with the same key",
                    e);
        } finally {
            running.remove(key);
        }
    }

    /** Asks what became of an earlier call, and notes that; null if it wasn't done, or nobody can say: then it is called again, which does no harm. */
    private @Nullable Known ask(Key given, OutageJournal.Entry before, R request) throws IOException {
        KindHandler<R, T> handler = new KindHandler<>(settings, request);
        if (!handler.canAsk()) {
            return null;
        }
        Known known;
        try {
            Probe<T> said = settings.engine.watch.timed(
                    new TimedCall(),
                    settings.policy,
                    () -> handler.ask(ClaimRunner.oneCall(settlements, given, settings.policy)));
            known = switch (said) {
                case Probe.Done<T> done -> Known.done(settlements.encode(given, done.value()));
                case Probe.Refused<T> refused -> Known.refused(refused.reason());
                case Probe.NotDone<T> notDone -> null;
                case Probe.Unknown<T> unknown -> null;
            };
        } catch (Exception e) {
            LOG.info("claim {} can't be asked about, and is called again: {}", given, e.toString());
            return null;
        }
        if (known != null) {
            journal.ended(before.id(), known);
        }
        return known;
    }

    private ClaimResult<T> call(Key given, OutageJournal.Call call, R request) throws IOException {
        CallPolicy policy = settings.policy;
        try (Permit permit = Permit.of(policy.breaker())) {
            if (!permit.isGiven()) {
                throw notCalled(given, "the circuit breaker is open");
            }
            if (journal.isFull()) {
                throw notCalled(given, "the database can't be reached, and the journal of outages is full");
            }
            UUID entry = journal.called(call);
            Instant since = SystemSource.INSTANCE.instant();
            KindHandler<R, T> handler = new KindHandler<>(settings, request);
            TimedCall timed = new TimedCall();
            T answer;
            try {
                answer = settings.engine.watch.timed(
                        timed, policy, () -> handler.perform(ClaimRunner.oneCall(settlements, given, policy)));
            } catch (Exception e) {
                if (policy.refuses(e)) {
                    permit.succeeded();
                    return ended(given, entry, Known.refused(e.getMessage()));
                }
                permit.failed(e);
                return unknown(given, entry, since, CallWatch.words(timed, policy, e));
            }
            permit.succeeded();
            return answered(given, entry, since, answer);
        }
    }

    private ClaimResult<T> answered(Key given, UUID entry, Instant since, @Nullable T answer) throws IOException {
        if (answer == null) {
            return unknown(given, entry, since, "the call gave null for an answer");
        }
        Known known;
        try {
            known = Known.done(settlements.encode(given, answer));
        } catch (IllegalArgumentException e) {
            return unknown(given, entry, since, "the answer of the call can't be stored: " + e.getMessage());
        }
        return ended(given, entry, known);
    }

    private static RetryException notCalled(Key given, String why) {
        return new RetryException(why + ", so key " + given + " was not called; call again with the same key", null);
    }

    private ClaimResult<T> ended(Key given, UUID entry, Known known) throws IOException {
        journal.ended(entry, known);
        return result(given, known);
    }

    private ClaimResult<T> unknown(Key given, UUID entry, Instant since, String error) throws IOException {
        journal.ended(entry, null);
        return new ClaimResult.InDoubt<>(given, since, 1, Reasons.cut(error));
    }

    private ClaimResult<T> result(Key given, Known known) {
        Encoded answer = known.answer();
        return answer == null
                ? new ClaimResult.Refused<>(given, String.valueOf(known.refusal()))
                : new ClaimResult.Settled<>(
                        given,
                        Optional.of(settlements.decode(given, answer.type(), answer.body(), settings.answerType)));
    }
}
