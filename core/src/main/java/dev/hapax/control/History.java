package dev.hapax.control;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The history of the database: whether it has gone back in time, by a restore or by a failover that lost commits. Safe for use by many threads.
 *
 * <p>Each process remembers the newest beat that it has seen in the table {@code hapax.beat}, and looks four times a second whether it is still there. If it is not, all consumers are paused (and kinds of claims call nobody), in all
 * processes, until {@link #accept}: what was lost has to be sent again by its sources, and only people know which those are.
 */
public interface History {

    /**
     * The database has gone back.
     *
     * @param id what it is called by
     * @param foundAt when a process found out, by the database's clock
     * @param foundBy the service whose process that was
     * @param lostAfter when the history that is left broke off: what was committed after it, until {@code lostUntil}, is gone; empty if nothing is left of it, as in another database
     * @param lostUntil how far the lost part is known to have gone; it may have gone on a little
     * @param accepted who has let the readers go on; empty while they wait
     */
    record Rewind(
            long id,
            Instant foundAt,
            String foundBy,
            Optional<Instant> lostAfter,
            Instant lostUntil,
            Optional<Accepted> accepted) {}

    /**
     * An operator's word.
     *
     * @param at when
     * @param by who, 1 to 200 characters
     * @param reason what was done about it, 1 to 1000 characters
     */
    record Accepted(Instant at, String by, String reason) {}

    /**
     * How often the database was found to have gone back, the latest first, at most 100. One that waits for an operator is the first.
     *
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    List<Rewind> rewinds();

    /**
     * Says that what was lost is dealt with, and lets the readers go on, in all processes, within a second.
     *
     * @param reason what was done about it, 1 to 1000 characters
     * @param by who says so, 1 to 200 characters
     * @return false if nothing waited for it
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    boolean accept(String reason, String by);
}
