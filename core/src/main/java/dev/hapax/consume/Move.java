package dev.hapax.consume;

import java.util.List;

/**
 * Where a consumer goes on, and what that brings with it. The numbers of a log and the offsets of a topic have holes, so what is counted here is the most that it can be.
 *
 * @param deduplicates whether the consumer tells repeats by their key as well: what is read again is then not applied again
 * @param steps by lane or partition; those that stay where they are are not among them
 */
public record Move(boolean deduplicates, List<Step> steps) {

    /**
     * How one position moves.
     *
     * @param place a lane of the log ({@code lane 3}) or a partition ({@code orders.placed/0})
     * @param from the first number that was not done
     * @param to the first number that is read from now on
     * @param readAgain how many were done and are read again
     * @param skipped how many were not done and are passed over: their effects will be missing
     * @param held how many messages that were set aside, waited for their next try or waited behind those are read again in their turn, and so no longer held
     */
    public record Step(String place, long from, long to, long readAgain, long skipped, long held) {}

    /** {@return how many messages are read again, at most} */
    public long readAgain() {
        return steps.stream().mapToLong(Step::readAgain).sum();
    }

    /** {@return how many messages are applied again, at most} */
    public long appliedAgain() {
        return deduplicates ? 0 : readAgain();
    }

    /** {@return how many messages are never applied, at most} */
    public long skipped() {
        return steps.stream().mapToLong(Step::skipped).sum();
    }

    /** {@return whether no message is applied twice, and each once} */
    public boolean isHarmless() {
        return appliedAgain() == 0 && skipped() == 0;
    }
}
