package dev.hapax.internal.consume;

import dev.hapax.internal.Connections;
import dev.hapax.internal.SystemSource;
import dev.hapax.internal.log.Lanes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one process the owner of all lanes, and keeps it that. Whoever has the first lane may take the others; so two processes never have a part each. The lease only says who should work;
 * that a former owner changes nothing is up to the tokens, and to the broker's fencing.
 *
 * <p>A thread of its own calls {@link #step}; others ask {@link #owned} and call {@link #giveUp}.
 */
final class FeedLease implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(FeedLease.class);

    private final Connections connections;
    private final ConsumerSettings settings;
    private final PositionStore positions;
    private final Runnable changed;
    private final Map<Short, Lane> taken = new TreeMap<>();
    private final Semaphore round = new Semaphore(0);
    private volatile @Nullable Ownership ownership;
    private volatile @Nullable Ownership givenUp;
    private volatile boolean stopping;
    private boolean inTrouble;

    /** All lanes, each with its token and the position that the database has. Another object for each time that they were taken. */
    static final class Ownership {

        final Map<Short, Lane> lanes;

        private Ownership(Map<Short, Lane> lanes) {
            this.lanes = Map.copyOf(lanes);
        }
    }

    /** @param changed told when the lanes were taken or lost */
    FeedLease(Connections connections, ConsumerSettings settings, PositionStore positions, Runnable changed) {
        this.connections = connections;
        this.settings = settings;
        this.positions = positions;
        this.changed = changed;
    }

    /** Null while another process has them, or nobody. */
    @Nullable
    Ownership owned() {
        return ownership;
    }

    /** The owner has found out that this is no longer true: what is still there in its name is given back, and taken anew. */
    void giveUp(Ownership lost) {
        givenUp = lost;
        round.release();
    }

    void stop() {
        stopping = true;
        round.release();
    }

    @Override
    public void run() {
        long roundMillis = settings.lease.toMillis() / 4;
        try {
            while (!stopping) {
                safely();
                if (round.tryAcquire(roundMillis, TimeUnit.MILLISECONDS)) {
                    round.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void safely() {
        try {
            connections.autoCommit(connection -> {
                step(connection);
                return connection;
            });
            inTrouble = false;
        } catch (SQLException | RuntimeException | VirtualMachineError | LinkageError e) {
            if (!inTrouble && !stopping) {
                LOG.warn("relay {} can't keep its lease and tries again: {}", settings.name(), e.toString());
            }
            inTrouble = true;
        }
    }

    /** One round. */
    void step(Connection connection) throws SQLException {
        Set<Short> ours = positions.round(connection).owned();
        Ownership current = ownership;
        if (current != null && (current == givenUp || ours.size() < Lanes.COUNT)) {
            set(null);
            current = null;
            taken.clear();
            LOG.info("relay {} no longer has its lanes", settings.name());
        }
        givenUp = null;
        if (current == null) {
            for (short lane : ours) {
                if (!taken.containsKey(lane)) {
                    // Taken by a statement whose answer was lost, or lost together with the others.
                    positions.disown(connection, lane);
                }
            }
            taken.keySet().retainAll(ours);
            takeAll(connection);
        }
    }

    private void takeAll(Connection connection) throws SQLException {
        positions.create(connection, settings.start);
        for (short lane = 0; lane < Lanes.COUNT; lane++) {
            if (!taken.containsKey(lane)) {
                Lane got = positions.take(connection, lane, Integer.MAX_VALUE, 0);
                if (got != null) {
                    taken.put(lane, got);
                } else if (lane == 0) {
                    return;
                }
            }
        }
        if (taken.size() == Lanes.COUNT) {
            set(new Ownership(taken));
            LOG.info("relay {} has its lanes", settings.name());
        }
    }

    private void set(@Nullable Ownership now) {
        ownership = now;
        changed.run();
    }

    /** Gives all back, so that another process goes on at once. After {@link #stop}, when the thread has ended. */
    void leave() {
        try {
            connections.autoCommit(connection -> {
                Ownership current = ownership;
                ownership = null;
                // The first lane last: who has it may take the others, and should find them free.
                for (short lane = Lanes.COUNT - 1; lane >= 0; lane--) {
                    Lane mine = current == null ? taken.get(lane) : current.lanes.get(lane);
                    if (mine != null) {
                        positions.release(connection, mine);
                    }
                }
                positions.leave(connection);
                return connection;
            });
        } catch (SQLException e) {
            LOG.info(
                    "relay {} could not give its lanes back; another takes them over when the lease ends: {}",
                    settings.name(),
                    e.toString());
        }
    }

    /** Whether the process has been told to stop. */
    boolean isStopping() {
        return stopping;
    }

    static String nodeOf(String service) {
        return service + "/" + SystemSource.INSTANCE.newUuidV7();
    }
}
