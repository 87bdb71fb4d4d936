package dev.hapax.internal.consume;

import dev.hapax.internal.Connections;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.consume.Failures.Fenced;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works through the shares that it is given: gets messages, handles, commits, again. All state of its shares is its thread's own; others talk to it by a queue. One call of {@link #step} is one
 * round. What is common to the readers of the log and of a broker is here.
 */
abstract class Worker implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

    private static final long PAUSE_FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long WATCHED_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long CALM_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long TROUBLE_MILLIS_MAX = 1_000;
    private static final long HELD_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long HELD_COUNT_NANOS = TimeUnit.SECONDS.toNanos(1);

    final ConsumerGround ground;
    final ConsumerSettings settings;
    private final Semaphore wake = new Semaphore(0);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Object connecting = new Object();
    private volatile boolean stopping;
    private volatile boolean overdue;
    private volatile boolean over;
    private volatile boolean alert;

    /** What this round works with; guarded by {@link #connecting}, so that none is closed that was given back. */
    private @Nullable Connection connected;

    private boolean calm;
    private boolean inTrouble;
    private boolean inDoubt = true;
    private long doubtNanos;
    private boolean saturated;
    private long heldLookedNanos;
    private long heldCountedNanos;

    Worker(ConsumerGround ground, ConsumerSettings settings) {
        this.ground = ground;
        this.settings = settings;
        this.doubtNanos = ground.pauses().openedNanos();
    }

    /** One round; returns how many messages left the source or were handled. */
    abstract int step() throws SQLException;

    /** Whether the last round left something that is there to be done. */
    abstract boolean hasMore();

    /** After trouble nobody knows what the last transaction did. */
    abstract void lostSight();

    abstract void giveAllBack();

    abstract MessageRunner runner();

    /** The shares, as far as they have held messages. */
    abstract Collection<? extends Share> shares();

    /** The lanes under which messages of the shares are held. */
    abstract Collection<Integer> heldLanes();

    abstract @Nullable Share shareOf(ReadMessage held);

    /** A transaction found that a share is no longer ours. */
    abstract void fenced(Connection connection) throws SQLException;

    /** Whether something may come that it is not woken for. */
    abstract boolean waitsForOthers();

    /** @param there false if what it is woken for may not be found yet: it looks more often for a while */
    final void wake(boolean there) {
        if (!there) {
            alert = true;
        }
        if (wake.availablePermits() == 0) {
            wake.release();
        }
    }

    final void stop() {
        stopping = true;
        stopped.countDown();
        wake(true);
    }

    final boolean isStopping() {
        return stopping;
    }

    /** The time to stop is over: what is not committed by now is rolled back. */
    final void overdue() {
        overdue = true;
    }

    final boolean isOverdue() {
        return overdue;
    }

    /** Closes the connection of the round under way: a driver that waits for an answer hears no interrupt. What the round has not committed is rolled back by the server. */
    final void disconnect() {
        synchronized (connecting) {
            if (connected != null) {
                try {
                    connected.abort(Runnable::run);
                } catch (SQLException e) {
                    LOG.warn("consumer {} could not close a connection that it waits for", settings.name(), e);
                }
            }
        }
    }

    /** Whether its thread has ended: it takes nothing any more, and has let go of all. */
    final boolean isOver() {
        return over;
    }

    /** Runs a part of a round, with a connection that {@link #disconnect} finds. */
    final <T> T connected(Connections.Work<T> work) throws SQLException {
        return ground.connections().autoCommit(connection -> {
            connect(connection);
            try {
                return work.apply(connection);
            } finally {
                connect(null);
            }
        });
    }

    private void connect(@Nullable Connection now) {
        synchronized (connecting) {
            connected = now;
        }
    }

    /** So many messages are held that no new ones are taken. */
    final boolean isSaturated() {
        return saturated;
    }

    @Override
    public final void run() {
        try {
            long pause = PAUSE_FIRST_NANOS;
            while (!stopping) {
                int done = safely();
                pause = done > 0 || isAlerted() ? PAUSE_FIRST_NANOS : Math.min(pause * 2, pauseMax());
                calm = false;
                // While messages come one by one, what comes in a millisecond is handled together, whoever knocks: a
                // transaction costs as much as several messages. To gather for longer is paid for by those that wait.
                if (done == 0) {
                    await(pause);
                } else if (!hasMore()) {
                    gather();
                }
            }
        } finally {
            end();
        }
    }

    /** However the thread ends: nobody else looks after what it has. */
    private void end() {
        try {
            // The stop's: it has done what it was for.
            Thread.interrupted();
            if (!stopping) {
                lostSight();
            }
            takeBack();
        } catch (SQLException e) {
            LOG.info("consumer {} could not take back a try that was cut off: {}", settings.name(), e.toString());
        } finally {
            try {
                giveAllBack();
            } finally {
                over = true;
            }
        }
    }

    private void takeBack() throws SQLException {
        if (runner().hasCutOff()) {
            connected(connection -> {
                runner().takeBack(connection);
                return connection;
            });
        }
    }

    private int round() throws SQLException {
        takeBack();
        return step();
    }

    /** Whether nothing came for so long that the keeper looks, and it has not knocked. */
    final boolean isCalm() {
        return calm;
    }

    private boolean isAlerted() {
        boolean alerted = alert;
        alert = false;
        return alerted;
    }

    /** Where nothing waits for a time or for others' commits, somebody else looks, and wakes. */
    private long pauseMax() {
        long longest = settings.idle.toNanos();
        boolean waits = inTrouble || inDoubt || waitsForOthers() || mayHaveHeld();
        return waits || longest < WATCHED_NANOS ? longest : Math.max(longest, CALM_NANOS);
    }

    private void gather() {
        try {
            stopped.await(PAUSE_FIRST_NANOS, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            noteInterrupt(e);
        }
    }

    private void await(long nanos) {
        try {
            if (wake.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
                wake.drainPermits();
            } else {
                calm = nanos >= CALM_NANOS;
            }
        } catch (InterruptedException e) {
            noteInterrupt(e);
        }
    }

    /** Only {@link #stop} ends it. */
    private void noteInterrupt(InterruptedException e) {
        LOG.debug("consumer {} was interrupted", settings.name(), e);
    }

    /** A round, whose failures are told once and waited out. */
    private int safely() {
        if (inDoubt && !ground.pauses().isReadAfter(doubtNanos)) {
            // The database that is there now may have gone back in time, which the keeper is about to find out.
            return 0;
        }
        inDoubt = false;
        try {
            int done = round();
            if (inTrouble) {
                LOG.info("consumer {} goes on", settings.name());
            }
            inTrouble = false;
            return done;
        } catch (SQLException e) {
            if (!inTrouble && !stopping) {
                LOG.warn("consumer {} can't work and tries again: {}", settings.name(), e.toString());
            }
            inTrouble = true;
            lostSight();
            doubt();
            rest(SystemSource.INSTANCE.jitter(TROUBLE_MILLIS_MAX) + 50);
            return 0;
        } catch (RuntimeException | Error e) {
            // Whatever it is: as long as this process lives, nobody else works on what it has.
            inTrouble = true;
            lostSight();
            LOG.error("consumer {} failed in its own code and tries again", settings.name(), e);
            rest(TROUBLE_MILLIS_MAX);
            return 0;
        }
    }

    private void rest(long millis) {
        if (!stopping) {
            await(TimeUnit.MILLISECONDS.toNanos(millis));
        }
    }

    /** Nothing is done before it is known what database this is. */
    final void doubt() {
        inDoubt = true;
        doubtNanos = SystemSource.INSTANCE.nanos();
    }

    /** A round by hand: time is no reason to put anything off, and a failure is the caller's, but remembered as {@link #safely} does. */
    final int stepByHand() throws SQLException {
        heldLookedNanos = SystemSource.INSTANCE.nanos() - HELD_LOOK_NANOS;
        try {
            return round();
        } catch (SQLException | RuntimeException | Error e) {
            lostSight();
            throw e;
        }
    }

    /** Tries held messages that are due; returns how many were handled. */
    final int tryHeld(Connection connection, HeldStore held) throws SQLException {
        long now = SystemSource.INSTANCE.nanos();
        if (!mayHaveHeld() || now - heldLookedNanos < HELD_LOOK_NANOS) {
            return 0;
        }
        heldLookedNanos = now;
        if (now - heldCountedNanos >= HELD_COUNT_NANOS) {
            heldCountedNanos = now;
            countHeld(connection, held);
        }
        int done = 0;
        for (HeldStore.Due due : held.due(connection, heldLanes(), settings.batch)) {
            Share share = shareOf(due.message());
            if (share == null || stopping) {
                continue;
            }
            try {
                done += runner().runHeld(connection, share, due);
            } catch (Fenced e) {
                fenced(connection);
            }
        }
        return done;
    }

    final boolean mayHaveHeld() {
        return saturated || shares().stream().anyMatch(share -> !share.heldKeys.isEmpty());
    }

    private void countHeld(Connection connection, HeldStore held) throws SQLException {
        long count = held.count(connection);
        if (count == 0) {
            // An operator has discarded the last ones.
            shares().forEach(share -> share.heldKeys.clear());
        }
        boolean before = saturated;
        saturated = count >= settings.heldMax;
        if (saturated && !before) {
            LOG.warn(
                    "consumer {} holds {} messages (heldMax {}) and takes no new ones until some are done or discarded; see ./hapax quarantine list {}",
                    settings.name(),
                    count,
                    settings.heldMax,
                    settings.name());
        }
    }
}
