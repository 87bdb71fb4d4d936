package dev.hapax.internal.twophase;

import dev.hapax.internal.twophase.BranchStore.Stored;
import dev.hapax.internal.twophase.Decisions.Decision;
import dev.hapax.twophase.Participants.State;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Optional;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends prepared branches, one at a time, as it was decided. Safe for use by many threads. */
final class Settler {

    private static final Logger LOG = LoggerFactory.getLogger(Settler.class);

    private final Decisions decisions;
    private final BranchStore store;

    Settler(Decisions decisions, BranchStore store) {
        this.decisions = decisions;
        this.store = store;
    }

    /** What became of a branch. */
    enum Settled {
        /** It has ended as it was decided, by this or by somebody else. */
        ENDED,
        /** It is still there: it is not decided yet, or could not be reached. */
        LEFT,
        /** Its participant has ended it in another way. */
        HEURISTIC
    }

    /** Ends a branch that was found prepared. Never throws: what fails is noted and found again. */
    Settled settle(XAResource resource, BranchXid xid) {
        try {
            Optional<Stored> known = store.find(xid);
            if (known.isPresent() && known.get().heuristic()) {
                return known.get().state() == State.CLOSED ? forget(resource, xid) : Settled.HEURISTIC;
            }
            Decision decision = decisions.decide(xid);
            return switch (decision) {
                case COMMIT -> commit(resource, xid);
                case ROLL_BACK -> rollBack(resource, xid);
                case OPEN -> Settled.LEFT;
                case UNKNOWN -> known.isPresent() && isLeft(known.get().state()) ? Settled.LEFT : unknown(xid);
            };
        } catch (SQLException e) {
            LOG.warn("branch {} in {} can't be decided now: {}", xid.token(), xid.participant(), e.toString());
            return Settled.LEFT;
        }
    }

    /** Commits a branch whose try is known to be committed. */
    Settled commit(XAResource resource, BranchXid xid) {
        try {
            resource.commit(xid, false);
            return Settled.ENDED;
        } catch (XAException e) {
            return failed(resource, xid, State.COMMITTING, e);
        }
    }

    private Settled rollBack(XAResource resource, BranchXid xid) {
        try {
            resource.rollback(xid);
            return Settled.ENDED;
        } catch (XAException e) {
            return XaFaults.isRolledBack(e) ? Settled.ENDED : failed(resource, xid, State.ROLLING_BACK, e);
        }
    }

    private Settled failed(XAResource resource, BranchXid xid, State state, XAException e) {
        boolean committing = state == State.COMMITTING;
        if (XaFaults.isGone(e)) {
            // Somebody else has ended it: they had the same decision.
            return Settled.ENDED;
        }
        String outcome = XaFaults.heuristic(e);
        if (outcome == null && committing && XaFaults.isRolledBack(e)) {
            outcome = "ROLLED_BACK";
        }
        if (outcome == null) {
            LOG.warn(
                    "branch {} in {} is to be {} and could not be; recovery goes on with it: {}",
                    xid.token(),
                    xid.participant(),
                    committing ? "committed" : "rolled back",
                    XaFaults.describe(e));
            note(xid, state, null, e);
            return Settled.LEFT;
        }
        if (outcome.equals(committing ? "COMMITTED" : "ROLLED_BACK")) {
            // On its own, and as it was decided.
            return forget(resource, xid);
        }
        LOG.error(
                "branch {} in {} was to be {}, and its participant has ended it on its own: {}. It waits for a person;"
                        + " see ./hapax twophase list",
                xid.token(),
                xid.participant(),
                committing ? "committed" : "rolled back",
                outcome.toLowerCase(Locale.ROOT));
        note(xid, State.HEURISTIC, outcome, e);
        return Settled.HEURISTIC;
    }

    /** A person has been told, or has dealt with it. */
    private static boolean isLeft(State state) {
        return state == State.UNKNOWN || state == State.CLOSED;
    }

    private Settled unknown(BranchXid xid) throws SQLException {
        LOG.error(
                "branch {} in {} was prepared longer ago than decisions are kept; it waits for a person",
                xid.token(),
                xid.participant());
        store.failed(
                xid,
                State.UNKNOWN,
                null,
                "prepared longer ago than decisions are kept: whether its operation was committed is no longer known here");
        return Settled.LEFT;
    }

    private static Settled forget(XAResource resource, BranchXid xid) {
        try {
            resource.forget(xid);
        } catch (XAException e) {
            if (!XaFaults.isGone(e)) {
                LOG.debug("branch {} in {} was not forgotten", xid.token(), xid.participant(), e);
            }
        }
        return Settled.ENDED;
    }

    private void note(BranchXid xid, State state, @Nullable String outcome, XAException e) {
        try {
            store.failed(xid, state, outcome, XaFaults.describe(e));
        } catch (SQLException again) {
            e.addSuppressed(again);
            LOG.warn("that could not be noted, and is found again with the branch", e);
        }
    }
}
