package dev.hapax.internal.twophase;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists the prepared branches of this home in each participant, and ends them. Every process of the home does so, and all at once if it happens: each step is one that a second doer finds done.
 * Participants don't wait for each other: one that does not answer is cut off after a while, and asked again. Safe for use by many threads.
 */
final class Recovery implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
    private static final long LOOK_MILLIS = 1000;

    private final List<RecoveredParticipant> participants;
    private final ScheduledExecutorService clock;
    private final ExecutorService threads;

    Recovery(String service, UUID home, List<Sessions> participants, Settler settler, BranchStore store) {
        this.participants = participants.stream()
                .map(sessions -> new RecoveredParticipant(home, sessions, settler, store))
                .toList();
        this.clock = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hapax-two-phase-" + service).factory());
        this.threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("hapax-two-phase-" + service + "-", 0).factory());
    }

    /** Looks now and then from here on. */
    void start() {
        clock.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Looks soon: a branch of this process was left. */
    void soon() {
        try {
            clock.execute(this::look);
        } catch (RejectedExecutionException closing) {
            LOG.debug("background work has ended; another process goes on with it", closing);
        }
    }

    private void look() {
        cutOff();
        try {
            for (RecoveredParticipant one : participants) {
                threads.execute(() -> look(one));
            }
        } catch (RejectedExecutionException closing) {
            LOG.debug("background work ends", closing);
        }
    }

    private static void look(RecoveredParticipant one) {
        try {
            one.recover(true, 0);
        } catch (RuntimeException e) {
            LOG.error("recovery of prepared branches failed, and is tried again", e);
        }
    }

    private void cutOff() {
        participants.forEach(RecoveredParticipant::cutOffIfSilent);
    }

    /** Ends what can be ended, on the calling thread; returns how many were. Those that are busy with it are waited for last, all of them together for as long as one answer may take. */
    int recover() {
        ScheduledFuture<?> watch =
                clock.scheduleWithFixedDelay(this::cutOff, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        try {
            int ended = 0;
            List<RecoveredParticipant> busy = new ArrayList<>();
            for (RecoveredParticipant one : participants) {
                int here = one.recover(false, 0);
                if (here < 0) {
                    busy.add(one);
                } else {
                    ended += here;
                }
            }
            long left = RecoveredParticipant.ANSWERS_WITHIN.toMillis() + 2 * LOOK_MILLIS;
            for (RecoveredParticipant one : busy) {
                ended += Math.max(0, one.recover(false, left / busy.size()));
            }
            return ended;
        } finally {
            watch.cancel(false);
        }
    }

    @Override
    public void close() {
        participants.forEach(RecoveredParticipant::closing);
        clock.shutdown();
        threads.shutdown();
        try {
            if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
                participants.forEach(RecoveredParticipant::cutOff);
                threads.shutdownNow();
            }
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
