package dev.hapax.testkit.proof;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Two processes over one database, one statement at a time: before each statement, commit and rollback a process waits for its turn, and the seed says whose it is. One that waits for a lock
 * of the other is passed over until it has it. Now and then, by the seed, leases run out, or a process dies.
 */
final class Interleaving<S> {

    private static final int PROCESSES = 2;
    private static final int STEPS_MAX = 50_000;
    private static final int EXPIRES_PER_MILLE = 15;
    private static final int DIES_PER_MILLE = 4;
    private static final long SILENT_MILLIS = 3;
    private static final long STUCK_MILLIS = 60_000;

    private final Scenario<S> scenario;
    private final Arena arena;
    private final List<Operation> operations;
    private final Random random;
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Actor> actors = new ArrayList<>();
    private boolean mayDie = true;
    private int steps;

    Interleaving(Scenario<S> scenario, Arena arena, List<Operation> operations, long seed) {
        this.scenario = scenario;
        this.arena = arena;
        this.operations = operations;
        this.random = new Random(seed);
    }

    private enum State {
        RUNNING,
        WAITS_FOR_TURN,
        DONE
    }

    /** One process, and where it stands. Guarded by the lock. */
    private static final class Actor {
        private final Thread thread;
        private State state = State.RUNNING;
        private boolean granted;
        private boolean dies;
        private int backend;

        private Actor(Thread thread) {
            this.thread = thread;
        }
    }

    /** Runs both to their ends; returns the operations that were answered. */
    Set<String> run(Tripwire unarmed) throws Exception {
        for (int i = 1; i <= PROCESSES; i++) {
            Node node = new Node(
                    i,
                    false,
                    arena.connections(),
                    new Node.Wiring(
                            unarmed,
                            scenario.mutation,
                            scenario.alsoWrites,
                            (n, mode) -> {},
                            this::turn,
                            arena.world()));
            Thread thread = Thread.ofPlatform()
                    .daemon()
                    .name("hapax-proof-process-" + i)
                    .unstarted(() -> live(node));
            actors.add(new Actor(thread));
        }
        actors.forEach(actor -> actor.thread.start());
        while (schedule()) {
            if (++steps > STEPS_MAX) {
                throw new IllegalStateException("two processes do not come to an end in " + STEPS_MAX + " steps");
            }
        }
        for (Actor actor : actors) {
            actor.thread.join(Duration.ofMillis(STUCK_MILLIS));
        }
        return acknowledged;
    }

    int steps() {
        return steps;
    }

    /** Waits for the process's turn. What other threads of a process do is not scheduled. */
    private void turn(Node node, @Nullable Connection raw) {
        lock.lock();
        try {
            Actor actor = actors.get(node.number() - 1);
            if (Thread.currentThread() != actor.thread) {
                return;
            }
            actor.backend = node.backend(raw);
            actor.state = State.WAITS_FOR_TURN;
            changed.signalAll();
            while (!actor.granted) {
                changed.awaitUninterruptibly();
            }
            actor.granted = false;
            if (actor.dies) {
                node.kill();
                throw new ProcessDeath("when the seed said so");
            }
        } finally {
            lock.unlock();
        }
    }

    /** Gives one process its turn; returns false if all are done. */
    private boolean schedule() throws Exception {
        List<Actor> ready = new ArrayList<>();
        boolean alive = false;
        for (Actor actor : actors) {
            boolean waits = settle(actor);
            alive |= actor.state != State.DONE;
            if (waits) {
                ready.add(actor);
            }
        }
        if (ready.isEmpty()) {
            return alive;
        }
        int event = random.nextInt(1000);
        if (event < EXPIRES_PER_MILLE) {
            arena.expireLeases();
            arena.passTime();
        }
        Actor next = ready.get(random.nextInt(ready.size()));
        lock.lock();
        try {
            if (mayDie && event >= 1000 - DIES_PER_MILLE) {
                mayDie = false;
                next.dies = true;
            }
            next.state = State.RUNNING;
            next.granted = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return true;
    }

    /** Waits until a process wants its next turn, has ended, or waits for a lock; returns whether it wants its turn. */
    private boolean settle(Actor actor) throws SQLException, InterruptedException {
        long waited = 0;
        while (true) {
            int backend;
            lock.lock();
            try {
                if (actor.state == State.RUNNING) {
                    changed.await(SILENT_MILLIS, TimeUnit.MILLISECONDS);
                }
                if (actor.state != State.RUNNING) {
                    return actor.state == State.WAITS_FOR_TURN;
                }
                backend = actor.backend;
            } finally {
                lock.unlock();
            }
            waited += SILENT_MILLIS;
            if (backend != 0 && isBlocked(backend)) {
                return false;
            }
            if (waited > STUCK_MILLIS) {
                throw new IllegalStateException("a process neither goes on nor waits for a lock");
            }
        }
    }

    private boolean isBlocked(int backend) throws SQLException {
        return Rows.number(arena.watcher(), "SELECT cardinality(pg_blocking_pids(?))", backend) > 0;
    }

    private void live(Node node) {
        try {
            new Life<>(scenario, acknowledged::add).live(node, operations);
        } catch (ProcessDeath e) {
            node.kill();
        } catch (Exception e) {
            // It could not go on: its operations have no answer, and whoever comes next finds what it left.
            node.kill();
        } finally {
            lock.lock();
            try {
                actors.get(node.number() - 1).state = State.DONE;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
