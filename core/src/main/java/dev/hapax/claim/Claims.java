package dev.hapax.claim;

import dev.hapax.Key;
import dev.hapax.internal.Checks;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Operations in flight as they are stored, for operators. What a person decides is recorded with its reason, and done once however often it is said. Safe for use by many threads.
 */
public interface Claims {

    /** Where an operation stands that is in flight. */
    enum State {
        /** The intent is committed: it waits for its first call or its next one, or is being called. */
        CLAIMED,
        /** It was called, and nobody knows how that ended; also because whoever called has been silent for longer than its lease. */
        IN_DOUBT
    }

    /** What a person decided. */
    enum Decision {
        /** It was done, with an answer. */
        SETTLE,
        /** It was not done, and shall not be. */
        REFUSE
    }

    /**
     * One operation in flight.
     *
     * @param overdue how long it has been waiting to be taken up; negative if its time has not come; empty if only a person can help
     */
    record Claimed(Key key, State state, Instant claimedAt, Progress progress, Optional<Duration> overdue) {}

    /**
     * How far it has come.
     *
     * @param owner who works on it; empty if nobody does
     * @param attempts calls that were begun
     * @param doubtSince since when it is in doubt
     * @param lastError what the last call or question ended with
     * @param stored whether what was asked for is stored, so that a worker can take it up
     * @param decided what a person has decided, or a call has answered, and is not settled yet
     */
    record Progress(
            Optional<String> owner,
            int attempts,
            Optional<Instant> doubtSince,
            Optional<String> lastError,
            boolean stored,
            Optional<Decision> decided) {}

    /**
     * What a person has said of an operation.
     *
     * @param by who
     */
    record Decided(Key key, Decision decision, String reason, String by, Instant at) {}

    /**
     * Operations in flight, those in doubt first, oldest first.
     *
     * @param states only those
     * @param limit 1 to 10,000
     */
    List<Claimed> list(Set<State> states, int limit);

    /** As {@link #list(Set, int)}, of one scope. */
    List<Claimed> list(String scope, Set<State> states, int limit);

    /** One of them. */
    Optional<Claimed> find(Key key);

    /** Those of one scope and id, whoever made the key. */
    List<Claimed> find(String scope, String id);

    /** What persons have decided of an operation, oldest first; kept after it is settled. */
    List<Decided> decisions(Key key);

    /**
     * Decides that it was done, with this answer. The next owner (a worker of its kind, or a caller with its key) settles it, with its local effects, without calling or asking. Saying the same again changes nothing; another answer or reason replaces what was said, until it is settled.
     *
     * @param type the stored name of the answer's type in the service's codec, such as {@code charge.v1}; {@code string} without one
     * @param answer the answer as the codec would store it
     * @return false if the same was said before, so that nothing was changed
     * @throws dev.hapax.InProgressException if somebody is calling at this moment
     * @throws IllegalStateException if it is not in flight, and the same was not said before: it is settled otherwise, or was never claimed
     */
    boolean settle(Key key, String type, byte[] answer, Ruling ruling);

    /**
     * Decides that it was not done, and shall not be. As {@link #settle}; the reason is what repeats are told.
     */
    boolean refuse(Key key, Ruling ruling);

    /**
     * Lets it be taken up now, instead of at its time: the other system is asked, if it can be.
     *
     * @return false if it is not in flight, or somebody is at it
     * @throws IllegalStateException if what it asks for is not stored, so that only its next caller can take it up; nothing was changed
     */
    boolean probe(Key key);

    /** Who decides, and why. Immutable. */
    final class Ruling {

        private final String reason;
        private final String by;
        private final boolean effects;

        private Ruling(String reason, String by, boolean effects) {
            this.reason = reason;
            this.by = by;
            this.effects = effects;
        }

        /**
         * A ruling.
         *
         * @param reason 1 to 1000 characters; of a refusal, it is what repeats are told
         * @param by 1 to 200 characters
         * @throws IllegalArgumentException if one of them is outside its limits
         */
        public static Ruling of(String reason, String by) {
            return new Ruling(Checks.text("reason", reason, 1000), Checks.text("by", by, 200), true);
        }

        /** The same, carried out at once and without the operation's local effects: for operations whose code is gone. */
        public Ruling withoutEffects() {
            return new Ruling(reason, by, false);
        }

        public String reason() {
            return reason;
        }

        public String by() {
            return by;
        }

        /** Whether the operation's local effects are to be applied, by the process that has its code. */
        public boolean hasEffects() {
            return effects;
        }
    }
}
