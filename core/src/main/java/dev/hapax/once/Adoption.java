package dev.hapax.once;

import dev.hapax.RetryException;
import dev.hapax.StoreException;
import dev.hapax.TooEarlyException;

/**
 * Markers for effects that are in the database without them: because they were made before Hapax came, or because markers were lost and the effects were not. Got from
 * {@link dev.hapax.Hapax#adopt}. Not safe for use by many threads.
 *
 * <p>Takes two connections at a time. Nothing is applied and no answer is kept; a later call with such a key is a repeat. A scope that is paused is adopted all the same: pause it first, where callers may come back before this is
 * through.
 */
public interface Adoption {

    /**
     * Whose keys they are.
     *
     * @param name as in {@link dev.hapax.Key#producer}; default: this service
     */
    Adoption producer(String name);

    /**
     * Marks the keys that a query finds, a thousand in a transaction; a key that is marked already stays as it is, so this can be run again.
     *
     * @param query a SELECT whose first column is the key's id, as text, and whose second, if there is one, is the key's time: the one that every retry repeats. Ids that carry a time need no second. Run as it is, with
     *     the service's rights: never build it from input
     * @return what was found
     * @throws RetryException if the database can't be reached; run it again
     * @throws StoreException if the database refuses the query
     * @throws IllegalArgumentException if an id is null, empty or longer than allowed
     */
    Adopted from(String query);

    /**
     * As {@link #from}, but nothing is changed.
     *
     * @return what {@link #from} would do now
     */
    Adopted preview(String query);

    /**
     * What became of the rows of a query.
     *
     * @param marked keys that got a marker
     * @param known keys that had one, or came twice
     * @param tooLate keys older than the window of their scope: they are refused anyway
     * @param tooEarly keys whose time lies in the future, as {@link TooEarlyException}: they have no marker
     */
    record Adopted(long marked, long known, long tooLate, long tooEarly) {

        /** How many rows there were. */
        public long rows() {
            return marked + known + tooLate + tooEarly;
        }
    }
}
