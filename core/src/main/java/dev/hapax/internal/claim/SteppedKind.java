package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.Transaction;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimKindBuilder;
import java.sql.SQLException;
import java.util.List;

/**
 * A kind of claims without threads, for the testkit alone: its rounds are called by hand, so that a seed can own their order. It does what a started one does, by the same parts. Used by one thread.
 *
 * @param <R> the request
 * @param <T> the answer
 */
public final class SteppedKind<R, T> {

    private static final int TAKEN_AT_ONCE = 100;

    private final RunningKind<R, T> kind;
    private final KindWorker<R, T> worker;

    private SteppedKind(KindSettings<R, T> settings) throws SQLException {
        this.worker = new KindWorker<>(settings, settings.engine.scope(settings.scope));
        this.kind = new RunningKind<>(settings, worker, () -> {});
    }

    /**
     * Takes the settings of a kind that is not started.
     *
     * @throws IllegalArgumentException if they are not Hapax's own
     * @throws IllegalStateException if they are not complete
     */
    public static <R, T> SteppedKind<R, T> of(ClaimKindBuilder<R, T> builder) throws SQLException {
        if (!(builder instanceof KindSettings<R, T> settings)) {
            throw new IllegalArgumentException("not a kind of Hapax: " + builder.getClass());
        }
        settings.check();
        return new SteppedKind<>(settings);
    }

    /** As {@link ClaimKind#submit}. */
    public boolean submit(Transaction tx, Key key, R request) {
        return kind.submit(tx, key, request);
    }

    /** One round: goes one step with each claim whose time has come, on the calling thread; returns how many. */
    public int step() throws SQLException {
        List<Held> taken = worker.take(TAKEN_AT_ONCE);
        taken.forEach(worker::work);
        return taken.size();
    }
}
