package dev.hapax.consume;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Relays of the log to a broker, by what is stored of them, and what a person decides when one has stopped. Safe for use by many threads.
 *
 * <p>A relay stops when the log is not the one that it has published: a failover of the database has lost commits, or a backup was restored. Messages of the lost history are on the broker's
 * topics, and the numbers that they had may have been given to others. It goes on only when someone has said how.
 */
public interface Relays {

    /** How a relay goes on behind a break. */
    enum Decision {
        /**
         * Publishes what this log has in the doubtful range and what is not on the topics: the relay reads them, from the time of the range on, and compares the ids. What the lost history had
         * published stays on the topics; it can't be taken back.
         */
        PUBLISH_MISSING,
        /** Goes on with what is published after the decision. What this log has in the range and above is never published by this relay, whether it is on the topics or not. */
        SKIP
    }

    /**
     * Where a relay found another history.
     *
     * @param lane the lane of the log
     * @param after the last number at which both histories are known to be the same; 0 if none is known
     * @param until how far the relay had come: the numbers between are in doubt
     * @param expected the id of the message that it had seen there
     * @param found the id of the message that lies there now; empty if none does
     * @param decision empty as long as nobody has decided
     * @param done whether the relay has gone on from there
     */
    record Break(
            long id,
            String relay,
            int lane,
            long after,
            long until,
            UUID expected,
            Optional<UUID> found,
            Instant foundAt,
            Optional<Decision> decision,
            boolean done) {}

    /**
     * The breaks of all relays, newest first.
     *
     * @param limit 1 to 10,000
     */
    List<Break> breaks(int limit);

    /**
     * Decides how a relay goes on, in all lanes in which it has found a break that nobody has decided. It does so within a second or two.
     *
     * @param by who says so, 1 to 200 characters
     * @param why for the record, 1 to 1000 characters
     * @return in how many lanes; 0 if there is nothing to decide
     */
    int decide(String relay, Decision decision, String by, String why);

    /**
     * Makes a relay forget where its position is kept outside the database, so that it begins anew with the database's copy: after its position topic was lost, or the cluster was replaced. What was
     * published after that copy was written is published again.
     *
     * @return false if there is no such relay
     */
    boolean forgetPosition(String relay);
}
