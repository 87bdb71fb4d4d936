package dev.hapax.claim;

import dev.hapax.Key;
import java.time.Instant;

/**
 * One call to the other system, or one question to it. Valid inside the caller's code that is given it. Immutable.
 */
public interface Call {

    /** The operation. */
    Key key();

    /**
     * What the other system is given as its key: the same for every try of this operation by every process, and different from that of all others. A UUID in its usual form, 36 characters; derived from scope,
     * id and producer of the operation's key.
     */
    String idempotencyKey();

    /** Which call this is, from 1; in a question, how many calls were begun before it. */
    int attempt();

    /** Grows with each owner of the operation. A system that remembers the highest one it was shown, and refuses lower ones, is safe from late calls of a process that was replaced. */
    long fencingToken();

    /** When the call's time is over, by this machine's clock. Nothing should be sent after it: the operation may have another owner by then. */
    Instant deadline();
}
