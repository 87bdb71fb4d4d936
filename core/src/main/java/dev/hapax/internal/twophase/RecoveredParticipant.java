package dev.hapax.internal.twophase;

import dev.hapax.internal.SystemSource;
import dev.hapax.internal.twophase.Settler.Settled;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Recovery in one participant, by one thread at a time. In the background, a branch is left to its owner until it was seen twice; that is courtesy, and nothing rests on it. Safe for use by many threads.
 */
final class RecoveredParticipant {

    private static final Logger LOG = LoggerFactory.getLogger(RecoveredParticipant.class);

    /** From one answer to the next. A driver may wait for ever by default, and where a network swallows what is sent, it does. */
    static final Duration ANSWERS_WITHIN = Duration.ofSeconds(10);

    private final UUID home;
    private final Sessions participant;
    private final Settler settler;
    private final BranchStore store;

    /** Held by who recovers. */
    private final ReentrantLock recovering = new ReentrantLock();

    private Set<BranchXid> seen = Set.of();
    private boolean unreachable;
    private volatile boolean closing;

    private @Nullable Thread waiting;
    private Sessions.@Nullable Lent asked;
    private long askedNanos;
    private boolean silent;

    RecoveredParticipant(UUID home, Sessions participant, Settler settler, BranchStore store) {
        this.home = home;
        this.participant = participant;
        this.settler = settler;
        this.store = store;
    }

    /**
     * Ends what can be ended.
     *
     * @param waitMillis for another thread that is at it
     * @return how many were; -1 if another thread is still at it
     */
    int recover(boolean courteous, long waitMillis) {
        try {
            if (!recovering.tryLock(waitMillis, TimeUnit.MILLISECONDS)) {
                return -1;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
        try {
            return recover(courteous);
        } finally {
            recovering.unlock();
        }
    }

    private int recover(boolean courteous) {
        long since = SystemSource.INSTANCE.nanos();
        try {
            int ended = end(courteous);
            if (unreachable) {
                unreachable = false;
                LOG.info("participant {} can be reached again", participant.name());
            }
            return ended;
        } catch (SQLException e) {
            // Once per outage: a line for each try says no more.
            if (!unreachable && !closing) {
                unreachable = true;
                LOG.warn(
                        "the branches in participant {} can't be recovered now, which is tried again ({} ms): {}",
                        participant.name(),
                        TimeUnit.NANOSECONDS.toMillis(SystemSource.INSTANCE.nanos() - since),
                        e.toString());
            }
            return 0;
        } finally {
            answered();
        }
    }

    private int end(boolean courteous) throws SQLException {
        ask(null);
        Sessions.Lent session = participant.borrow();
        try (session) {
            // Before the list: what is noted and not prepared any more was ended by somebody else.
            Set<UUID> noted = store.waiting(participant.name());
            ask(session);
            List<BranchXid> found = list(session.resource());
            found.forEach(xid -> noted.remove(xid.token()));
            for (UUID token : noted) {
                store.ended(token, participant.name());
            }
            Set<BranchXid> left = new HashSet<>();
            int ended = 0;
            for (BranchXid xid : found) {
                ask(session);
                if (courteous && !seen.contains(xid)) {
                    left.add(xid);
                } else if (settler.settle(session.resource(), xid) == Settled.ENDED) {
                    store.ended(xid.token(), participant.name());
                    ended++;
                    LOG.info("branch {} in {} was left by its owner and has ended", xid.token(), xid.participant());
                } else {
                    left.add(xid);
                }
            }
            ask(session);
            seen = left;
            session.giveBack();
            return ended;
        } catch (XAException e) {
            session.discard();
            throw XaFaults.asSql(participant.name(), e);
        }
    }

    private List<BranchXid> list(XAResource resource) throws XAException {
        List<BranchXid> ours = new ArrayList<>();
        for (Xid xid : resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN)) {
            BranchXid mine = BranchXid.of(xid, home);
            if (mine != null) {
                ours.add(mine);
            }
        }
        return ours;
    }

    /**
     * From here on this thread waits for an answer.
     *
     * @param session that is asked; null while one is opened
     * @throws SQLException if it was cut off
     */
    private synchronized void ask(Sessions.@Nullable Lent session) throws SQLException {
        checkCut();
        waiting = Thread.currentThread();
        asked = session;
        askedNanos = SystemSource.INSTANCE.nanos();
    }

    private synchronized void answered() {
        if (silent && asked == null) {
            Thread.interrupted();
        }
        silent = false;
        waiting = null;
        asked = null;
    }

    private void checkCut() throws SQLException {
        if (silent) {
            throw new SQLException(
                    "participant " + participant.name() + " did not answer within " + ANSWERS_WITHIN, "08001");
        }
    }

    /** What fails from here on is of no interest. */
    void closing() {
        closing = true;
    }

    /** Cuts off what has not answered for too long. */
    synchronized void cutOffIfSilent() {
        if (SystemSource.INSTANCE.nanos() - askedNanos >= ANSWERS_WITHIN.toNanos()) {
            cutOff();
        }
    }

    /** Has the thread that waits for an answer wait no longer: the call fails. */
    synchronized void cutOff() {
        if (waiting == null || silent) {
            return;
        }
        silent = true;
        Sessions.Lent session = asked;
        if (session == null) {
            waiting.interrupt();
        } else {
            // That may take its time as well.
            Thread.ofVirtual().name("hapax-two-phase-abort").start(session::abort);
        }
    }
}
