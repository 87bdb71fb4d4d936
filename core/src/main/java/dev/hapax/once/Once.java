package dev.hapax.once;

import dev.hapax.Key;
import java.sql.Connection;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One operation to apply once: marker and effect in one commit. Got from {@link dev.hapax.Hapax#once(Key)}; add conditions, then end with a verb.
 *
 * <p>All verbs throw {@link dev.hapax.KeyReusedException}, {@link dev.hapax.InProgressException}, {@link dev.hapax.TooLateException},
 * {@link dev.hapax.TooEarlyException}, {@link dev.hapax.PausedException}, {@link dev.hapax.RetryException} or {@link dev.hapax.StoreException}; in each
 * case the effect was not applied by this call, except for {@code RetryException}, where nobody knows, and calling again with the same key is
 * safe.
 *
 * <p>Not safe for use by many threads; make one per call.
 */
public interface Once {

    /**
     * Refuses the key if it was applied with another request. Requests are compared by SHA-256 over the codec's canonical form.
     *
     * @throws IllegalArgumentException if the codec can't give the request a canonical form
     */
    Once matching(Object request);

    /**
     * Joins a transaction that the caller has open on this connection (auto-commit off) and will commit. Nothing is retried here; if the effect
     * throws, the transaction can only be rolled back, so that the marker can't be committed without its effect. Messages get their place in the log when the effect
     * returns; for the order of one message key, change the rows that its writers contend for before that.
     */
    Once on(Connection connection);

    /**
     * How long to wait for a transaction that is applying the same key at this moment (default: the service's, 30 seconds), in whole seconds from 1
     * to 3600. When it has passed: {@link dev.hapax.InProgressException}.
     */
    Once waitUpTo(Duration time);

    /** Does not wait for a transaction that is applying the same key: {@link dev.hapax.InProgressException} at once. */
    Once refuseIfInProgress();

    /**
     * Applies the effect, unless it has been applied.
     *
     * @return {@link Verdict#APPLIED} or {@link Verdict#REPLAYED}
     * @throws E what the effect throws; nothing was committed then
     */
    <E extends Exception> Verdict run(Effect<E> effect) throws E;

    /**
     * Applies an effect that is one INSERT, UPDATE, DELETE or MERGE; marker and effect travel in one statement and one round trip. The statement must take its rows from
     * the relation {@code once}, which has one row if the key is new, else none:
     *
     * <pre>{@code INSERT INTO ledger (invoice, amount) SELECT ?, ? FROM once
     * UPDATE stock SET quantity = quantity - ? FROM once WHERE code = ?}</pre>
     *
     * <p>{@link #waitUpTo} bounds the statement as a whole: one whose effect takes longer, or waits longer for rows that others hold, is stopped
     * ({@link dev.hapax.StoreException}), and nothing was applied. {@link #refuseIfInProgress} sets no bound.
     *
     * <p>A statement that changes rows without it is stopped at the first repeat by the database ({@link dev.hapax.StoreException}); nothing is ever applied twice.
     *
     * @param sql with {@code ?} for parameters; no RETURNING
     * @param parameters set by {@code setObject}, in order
     * @return the number of rows that the statement changed; a repeat has no answer
     */
    Result<Long> statement(String sql, @Nullable Object... parameters);
}
