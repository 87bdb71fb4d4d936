package dev.hapax.internal.claim;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.RetryException;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.ClaimResult;
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

/**
 * What a kind does while the database can't be reached: it calls all the same, with the same derived key, and keeps a journal. The other system honours the key, so a call that another process has made, or will make, is
 * no second effect. Safe for use by many threads.
 */
final class Outage<R, T> {

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

    private ClaimResult<T> call(Key given, OutageJournal.Call call, R request) throws IOException {
        CallPolicy policy = settings.policy;
        if (!policy.breaker().allows()) {
            throw new RetryException(
                    "the circuit breaker is open, so key " + given + " was not called; call again with the same key",
                    null);
        }
        UUID entry = journal.called(call);
        Instant since = SystemSource.INSTANCE.instant();
        KindHandler<R, T> handler = new KindHandler<>(settings, request);
        try {
            T answer = handler.perform(ClaimRunner.oneCall(settlements, given, policy));
            policy.breaker().succeeded();
            Known known = Known.done(settlements.encode(given, answer));
            journal.ended(entry, known);
            return new ClaimResult.Settled<>(given, Optional.of(answer));
        } catch (IOException | RuntimeException e) {
            return failed(given, entry, since, e);
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            return failed(given, entry, since, e);
        }
    }

    private ClaimResult<T> failed(Key given, UUID entry, Instant since, Exception failure) throws IOException {
        CallPolicy policy = settings.policy;
        if (policy.refuses(failure)) {
            policy.breaker().succeeded();
            Known known = Known.refused(failure.getMessage());
            journal.ended(entry, known);
            return result(given, known);
        }
        policy.breaker().failed(failure);
        journal.ended(entry, null);
        return new ClaimResult.InDoubt<>(given, since, 1, Reasons.cut(failure.toString()));
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
