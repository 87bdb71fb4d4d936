package dev.hapax.internal.twophase;

import dev.hapax.internal.SystemSource;
import dev.hapax.internal.twophase.Settler.Settled;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists the prepared branches of this home in each participant, and ends them. Every process of the home does so, and all at once if it happens: each step is one that a second doer finds done.
 * In the background, a branch is left to its owner until it was seen twice; that is courtesy, and nothing rests on it. Safe for use by many threads.
 */
final class Recovery implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
    private static final long LOOK_MILLIS = 1000;

    private final UUID home;
    private final List<Sessions> participants;
    private final Settler settler;
    private final BranchStore store;
    private final ScheduledExecutorService thread;
    private final Map<String, Set<BranchXid>> seen = new HashMap<>();
    private final Set<String> unreachable = new HashSet<>();

    Recovery(String service, UUID home, List<Sessions> participants, Settler settler, BranchStore store) {
        this.home = home;
        this.participants = participants;
        this.settler = settler;
        this.store = store;
        this.thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hapax-two-phase-" + service).factory());
    }

    /** Looks now and then from here on. */
    void start() {
        thread.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Looks soon: a branch of this process was left. */
    void soon() {
        try {
            thread.execute(this::look);
        } catch (RejectedExecutionException closing) {
            LOG.debug("background work has ended; another process goes on with it", closing);
        }
    }

    private void look() {
        try {
            recover(true);
        } catch (RuntimeException e) {
            LOG.error("recovery of prepared branches failed, and is tried again", e);
        }
    }

    /** Ends what can be ended; returns how many were. */
    synchronized int recover(boolean courteous) {
        int ended = 0;
        for (Sessions participant : participants) {
            long since = SystemSource.INSTANCE.nanos();
            try {
                ended += recover(participant, courteous);
                if (unreachable.remove(participant.name())) {
                    LOG.info("participant {} can be reached again", participant.name());
                }
            } catch (SQLException e) {
                // Once per outage: a line for each try says no more.
                if (unreachable.add(participant.name()) && !thread.isShutdown()) {
                    LOG.warn(
                            "the branches in participant {} can't be recovered now, which is tried again ({} ms): {}",
                            participant.name(),
                            TimeUnit.NANOSECONDS.toMillis(SystemSource.INSTANCE.nanos() - since),
                            e.toString());
                }
            }
        }
        return ended;
    }

    private int recover(Sessions participant, boolean courteous) throws SQLException {
        Sessions.Lent session = participant.borrow();
        try (session) {
            Set<BranchXid> before = seen.getOrDefault(participant.name(), Set.of());
            // Before the list: what is noted and not prepared any more was ended by somebody else.
            Set<UUID> waiting = store.waiting(participant.name());
            List<BranchXid> found = list(session.resource());
            found.forEach(xid -> waiting.remove(xid.token()));
            for (UUID token : waiting) {
                store.ended(token, participant.name());
            }
            Set<BranchXid> left = new HashSet<>();
            int ended = 0;
            for (BranchXid xid : found) {
                if (courteous && !before.contains(xid)) {
                    left.add(xid);
                } else if (settler.settle(session.resource(), xid) == Settled.ENDED) {
                    store.ended(xid.token(), participant.name());
                    ended++;
                    LOG.info("branch {} in {} was left by its owner and has ended", xid.token(), xid.participant());
                } else {
                    left.add(xid);
                }
            }
            seen.put(participant.name(), left);
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

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
