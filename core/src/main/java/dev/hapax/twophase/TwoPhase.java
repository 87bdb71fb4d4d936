package dev.hapax.twophase;

import dev.hapax.once.Verdict;
import java.time.Duration;

/**
 * One operation whose effects lie in the home database and in others. Got from {@link dev.hapax.Hapax#twoPhase(dev.hapax.Key)}; name the participants, add conditions, then {@link #run}.
 *
 * <p>The branches are prepared, then the home transaction is committed with the marker: that commit decides. What is prepared and not yet ended when a process dies is ended by
 * recovery, in any process of this home that knows the participant: committed if the home transaction was, else rolled back.
 *
 * <p>What a reader sees: each database shows its part from its own commit on, and the branches follow the home by a moment; a two-phase commit is atomic, not isolated.
 *
 * <p>Not safe for use by many threads; make one per call.
 */
public interface TwoPhase {

    /**
     * Adds a branch in this participant.
     *
     * @param participant one that was given to {@link dev.hapax.HapaxBuilder#participant}, where recovery knows it before the first operation
     * @throws IllegalArgumentException if there is no such participant, or it was added before
     */
    TwoPhase with(String participant);

    /** As {@link dev.hapax.once.Once#matching(Object)}. */
    TwoPhase matching(Object request);

    /** As {@link dev.hapax.once.Once#waitUpTo(Duration)}. */
    TwoPhase waitUpTo(Duration time);

    /**
     * Applies the effect, unless it has been applied.
     *
     * @return {@link Verdict#APPLIED} once it is decided; a participant that could not be reached in this moment has its branch committed by recovery. {@link Verdict#REPLAYED} for a repeat
     * @throws E what the effect throws; nothing was committed then, anywhere
     * @throws IllegalStateException if no participant was named
     * @throws dev.hapax.RetryException if nobody knows; call again with the same key
     * @throws dev.hapax.DamagedException if it was decided and a participant has ended its branch on its own, in another way; the branch waits for a person
     */
    <E extends Exception> Verdict run(TwoPhaseEffect<E> effect) throws E;
}
