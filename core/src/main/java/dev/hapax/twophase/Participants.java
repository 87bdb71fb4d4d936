package dev.hapax.twophase;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Branches that recovery looks after: for operators, and for tests. Safe for use by many threads. */
public interface Participants {

    /** Where a branch stands that recovery could not end when it found it. */
    enum State {
        /** The operation was committed, and its participant did not commit the branch yet; tried again. */
        COMMITTING,
        /** The operation was not committed and can't be any more, and its participant did not roll the branch back yet; tried again. */
        ROLLING_BACK,
        /** Prepared longer ago than decisions are kept: nobody knows, so nothing is done. A person must decide. */
        UNKNOWN,
        /** The participant has ended it on its own, in another way than was decided. A person must put it right. */
        HEURISTIC,
        /** A person has closed it. */
        CLOSED;

        /** Whether a branch in this state can come into the other one. */
        public boolean mayBecome(State next) {
            return switch (this) {
                case COMMITTING, ROLLING_BACK, UNKNOWN -> true;
                case HEURISTIC -> next == HEURISTIC || next == CLOSED;
                case CLOSED -> false;
            };
        }
    }

    /**
     * One of them.
     *
     * @param token names the try of the operation that the branch belongs to
     * @param scope of the operation
     * @param key of the operation, where it is known: that of a branch whose operation was never committed is not
     * @param outcome what the participant says it did, for {@link State#HEURISTIC}: {@code COMMITTED}, {@code ROLLED_BACK}, {@code MIXED} or {@code HAZARD} (it can't say)
     * @param attempts how often it was tried to end it
     * @param error what the participant said last
     */
    record Branch(
            UUID token,
            String participant,
            State state,
            String scope,
            Optional<String> key,
            Optional<String> outcome,
            int attempts,
            String error,
            Instant foundAt) {}

    /**
     * Does now what is otherwise done in the background: lists the prepared branches of this home in each participant, and ends those that are decided or can't be decided any more.
     * A branch whose owner is about to decide is left alone. A participant that does not answer for 10 seconds is cut off and passed over, as is one in which another thread is still at it after that time.
     *
     * @return how many it ended
     * @see #list() what can't be reached is passed over
     */
    int recover();

    /** Those that recovery could not end and nobody has closed, oldest first; at most 1000. */
    List<Branch> list();

    /**
     * Notes that a person has dealt with a branch. It is no longer listed; should the participant still hold it, recovery goes on with it (or makes the participant forget it, if it had ended
     * it on its own).
     *
     * @param reason 1 to 1000 characters; kept
     * @param by who says so: 1 to 200 characters
     * @return false if there is no such branch, or it was closed before
     */
    boolean close(UUID token, String participant, String reason, String by);
}
