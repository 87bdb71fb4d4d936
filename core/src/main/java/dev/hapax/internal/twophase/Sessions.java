package dev.hapax.internal.twophase;

import dev.hapax.internal.GuardedConnection;
import dev.hapax.internal.SystemSource;
import dev.hapax.twophase.Participant;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Deque;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of one participant: opened when they are needed, kept while they work, thrown away with all idle ones when one fails, since what broke it broke them. An idle session that has gone
 * stale costs the try that finds it, which is made again. Safe for use by many threads.
 */
final class Sessions implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);

    /** At once; the home's pool is the closer bound in practice. */
    private static final int OPEN_MAX = 100;

    private static final int IDLE_MAX = 32;
    private static final Duration WAIT = Duration.ofSeconds(30);

    private final String name;
    private final Participant participant;
    private final Semaphore room = new Semaphore(OPEN_MAX);
    private final Deque<Lent> idle = new ConcurrentLinkedDeque<>();
    private final AtomicInteger idleCount = new AtomicInteger();
    private volatile boolean proven;
    private volatile boolean closed;

    Sessions(String name, Participant participant) {
        this.name = name;
        this.participant = participant;
    }

    String name() {
        return name;
    }

    /** A session in use. Given back, or thrown away by {@link #close()}. */
    final class Lent implements AutoCloseable {

        private final Participant.Session session;
        private final XAResource resource;
        private final Object handle;
        private boolean lent = true;

        private Lent(Participant.Session session) {
            this.session = session;
            this.resource = session.resource();
            Object given = session.handle();
            this.handle = given instanceof Connection connection ? new GuardedConnection(connection) : given;
        }

        XAResource resource() {
            return resource;
        }

        /** What an effect sees; a connection is guarded. */
        Object handle() {
            return handle;
        }

        /** It works, and can serve the next branch. */
        void giveBack() {
            if (!lent) {
                return;
            }
            if (closed || idleCount.incrementAndGet() > IDLE_MAX) {
                if (!closed) {
                    idleCount.decrementAndGet();
                }
                close();
                return;
            }
            lent = false;
            idle.push(this);
            room.release();
        }

        /** It failed: neither it nor those that were opened with it are used again. */
        void discard() {
            close();
            closeIdle();
        }

        /** Ends it from another thread than the one that waits in it: what that one waits for fails. */
        void abort() {
            try {
                if (session.handle() instanceof Connection connection) {
                    connection.abort(Runnable::run);
                } else {
                    session.close();
                }
            } catch (Exception e) {
                LOG.debug("a session of participant {} was not aborted cleanly", name, e);
            }
        }

        @Override
        public void close() {
            if (lent) {
                lent = false;
                room.release();
                quit(session);
            }
        }
    }

    /** @throws SQLException if none can be had, as an error that may be tried again */
    Lent borrow() throws SQLException {
        try {
            if (!room.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new SQLException(
                        "no session of participant " + name + " was free within " + WAIT + "; " + OPEN_MAX
                                + " are in use",
                        "08001");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException("interrupted while waiting for a session of participant " + name, "08001", e);
        }
        Lent known = idle.poll();
        if (known != null) {
            idleCount.decrementAndGet();
            known.lent = true;
            return known;
        }
        try {
            return new Lent(participant.open());
        } catch (Exception e) {
            room.release();
            throw XaFaults.asSql(name, e);
        } catch (Throwable t) {
            room.release();
            throw t;
        }
    }

    /**
     * Asks the participant whether it can prepare, by doing it; once it could, not again. The probe is a branch like others: if this process dies beside it, recovery finds no decision and
     * rolls it back.
     *
     * @param day on which decisions are written now
     */
    void prove(UUID home, int day) throws SQLException {
        if (proven) {
            return;
        }
        BranchXid probe = new BranchXid(home, SystemSource.INSTANCE.newUuidV7(), day, 0, 0, Integer.MIN_VALUE, 0, name);
        Lent session = borrow();
        try (session) {
            session.resource.start(probe, XAResource.TMNOFLAGS);
            session.resource.end(probe, XAResource.TMSUCCESS);
            if (session.resource.prepare(probe) == XAResource.XA_OK) {
                session.resource.rollback(probe);
            }
        } catch (XAException e) {
            if (!XaFaults.isGone(e)) {
                throw XaFaults.asSql(name, e);
            }
            // Recovery was quicker.
        }
        proven = true;
    }

    private void closeIdle() {
        for (Lent one = idle.poll(); one != null; one = idle.poll()) {
            idleCount.decrementAndGet();
            quit(one.session);
        }
    }

    private void quit(Participant.Session session) {
        try {
            session.close();
        } catch (Exception e) {
            LOG.debug("a session of participant {} did not close cleanly", name, e);
        }
    }

    @Override
    public void close() {
        closed = true;
        closeIdle();
    }
}
