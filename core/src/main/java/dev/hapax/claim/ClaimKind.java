package dev.hapax.claim;

import dev.hapax.Key;
import dev.hapax.Transaction;
import java.time.Duration;
import java.util.Optional;

/**
 * A kind of operation in a system that isn't ours, registered under the name of its scope: this process takes up those that nobody works on, whoever began them. Got from {@link ClaimKindBuilder}.
 *
 * <p>Safe for use by many threads.
 *
 * @param <R> the request
 * @param <T> the answer
 */
public interface ClaimKind<R, T> extends AutoCloseable {

    /** The scope. */
    String scope();

    /**
     * Has the operation done, and waits. As {@link Claim#settleWithin}; the request is stored and compared. An operation that is not done in time goes on without this caller.
     *
     * @param key in this kind's scope
     * @throws dev.hapax.InProgressException if it is certainly not done yet, and workers go on with it
     * @throws IllegalArgumentException if the key is of another scope
     */
    ClaimResult<T> settle(Key key, R request, Duration within);

    /**
     * Commits the intent with the caller's transaction; a worker makes the call after that commit. A key that is known already changes nothing.
     *
     * @return false if the key was claimed before and is in flight, or settled
     * @throws IllegalArgumentException if the key is of another scope
     * @throws dev.hapax.KeyReusedException if it was claimed before with another request
     */
    boolean submit(Transaction tx, Key key, R request);

    /** What is known of an operation; empty if nothing is, or a worker is at it. */
    Optional<ClaimResult<T>> find(Key key);

    /** Stops taking operations up, and waits for running calls, for 10 seconds at most. Those that go on are taken over by others when their lease has run out. */
    @Override
    void close();
}
