package dev.hapax.internal.saga;

import dev.hapax.internal.SystemSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process does for its sagas in the background: interrupts steps whose time is over, puts off the leases of those that it runs, takes up what is due, asks for those that somebody waits for. One call of {@link #step}
 * is one round, of a few statements however many sagas sleep.
 */
final class SagaKeeper implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(SagaKeeper.class);
    private static final long LOOK_MILLIS = 100;
    private static final long ORPHANS_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final double RELEASED_SECONDS = 1;

    private final SagaEngine engine;
    private final SagaGround ground;
    private final Waiters waiters;
    private final Queue<SagaRow> released = new ConcurrentLinkedQueue<>();
    private final Semaphore wake = new Semaphore(0);
    private final AtomicBoolean started = new AtomicBoolean();
    private final Set<String> toldOrphans = new HashSet<>();
    private final Thread thread;
    private long orphansNanos = SystemSource.INSTANCE.nanos();
    private volatile boolean stopping;

    /** Whether the last look took up as many as there was room for, so that there may be more. */
    private volatile boolean leftSome;

    private boolean inTrouble;

    SagaKeeper(SagaEngine engine, SagaGround ground, Waiters waiters) {
        this.engine = engine;
        this.ground = ground;
        this.waiters = waiters;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("hapax-sagas-" + ground.shared().service())
                .unstarted(this);
    }

    void start() {
        if (started.compareAndSet(false, true)) {
            thread.start();
        }
    }

    /** There may be something to take up. */
    void nudge() {
        if (wake.availablePermits() == 0) {
            wake.release();
        }
    }

    /** A saga has ended its work here. */
    void roomIsFree() {
        if (leftSome) {
            nudge();
        }
    }

    /** It can't be run on here now; somebody takes it up soon. */
    void release(SagaRow saga) {
        released.add(saga);
        nudge();
    }

    void stop() {
        stopping = true;
        if (started.get()) {
            nudge();
            try {
                thread.join(TimeUnit.SECONDS.toMillis(5));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void run() {
        while (!stopping) {
            boolean more = false;
            try {
                watch();
                more = ground.connections().autoCommit(this::step);
                inTrouble = false;
            } catch (SQLException | RuntimeException e) {
                if (!inTrouble) {
                    LOG.warn("sagas can't be looked after, and it is tried again: {}", e.toString());
                }
                inTrouble = true;
            }
            if (!more || inTrouble) {
                pause();
            }
        }
    }

    private void pause() {
        try {
            if (wake.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                wake.drainPermits();
            }
        } catch (InterruptedException e) {
            stopping = true;
            Thread.currentThread().interrupt();
        }
    }

    /**
     * One round.
     *
     * @return whether there may be more to take up at once
     */
    boolean step(Connection connection) throws SQLException {
        renew(connection);
        release(connection);
        boolean more = take(connection);
        waiters.ask(connection);
        if (SystemSource.INSTANCE.nanos() - orphansNanos >= ORPHANS_NANOS) {
            orphansNanos = SystemSource.INSTANCE.nanos();
            tellOrphans(connection);
        }
        return more;
    }

    /** Ends tries whose time is over, without asking the database. */
    private void watch() {
        long now = SystemSource.INSTANCE.nanos();
        for (SagaRun run : engine.running()) {
            for (TimedTry one : run.timed()) {
                one.look(now);
                if (run.isStored()
                        && one.givesUp(now, run.definition().rules().lease().toNanos())) {
                    engine.giveUp(run, one);
                }
            }
        }
    }

    private void renew(Connection connection) throws SQLException {
        long now = SystemSource.INSTANCE.nanos();
        List<SagaRun> old = new ArrayList<>();
        for (SagaRun run : engine.running()) {
            if (run.isStored()
                    && !run.isFenced()
                    && now - run.leasedNanos()
                            > run.definition().rules().lease().toNanos() / 3) {
                old.add(run);
            }
        }
        if (old.isEmpty()) {
            return;
        }
        Map<Owned, Boolean> ours = write(
                connection,
                SagaSql.RENEW,
                old.stream().map(SagaRun::saga).toList(),
                old.stream()
                        .map(run -> run.definition().rules().lease().toMillis() / 1000.0)
                        .toList());
        for (SagaRun run : old) {
            Boolean written = ours.get(Owned.of(run.saga()));
            if (written == null) {
                if (engine.running().contains(run)) {
                    run.fence();
                }
            } else if (written) {
                run.leased(now);
            }
        }
    }

    /** A saga, as one of its owners knows it. */
    private record Owned(UUID id, long token) {

        static Owned of(SagaRow saga) {
            return new Owned(saga.id(), saga.token);
        }
    }

    /** Those that are still ours, each with whether it was written: if it was not, somebody holds its row. */
    private static Map<Owned, Boolean> write(
            Connection connection, String sql, List<SagaRow> sagas, List<Double> seconds) throws SQLException {
        Map<Owned, Boolean> ours = new HashMap<>();
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            update.setArray(
                    1,
                    connection.createArrayOf(
                            "uuid", sagas.stream().map(SagaRow::id).toArray()));
            update.setArray(
                    2,
                    connection.createArrayOf(
                            "int8", sagas.stream().map(saga -> saga.token).toArray()));
            update.setArray(3, connection.createArrayOf("float8", seconds.toArray()));
            try (ResultSet row = update.executeQuery()) {
                while (row.next()) {
                    ours.put(new Owned(row.getObject(1, UUID.class), row.getLong(2)), row.getBoolean(3));
                }
            }
        }
        return ours;
    }

    private void release(Connection connection) throws SQLException {
        List<SagaRow> all = new ArrayList<>();
        for (SagaRow saga = released.peek(); saga != null && all.size() < 1000; saga = released.peek()) {
            all.add(released.remove());
        }
        if (all.isEmpty()) {
            return;
        }
        List<SagaRow> left = all;
        try {
            Map<Owned, Boolean> ours =
                    write(connection, SagaSql.RELEASE, all, Collections.nCopies(all.size(), RELEASED_SECONDS));
            left = all.stream()
                    .filter(saga -> Boolean.FALSE.equals(ours.get(Owned.of(saga))))
                    .toList();
        } finally {
            released.addAll(left);
        }
    }

    private boolean take(Connection connection) throws SQLException {
        List<Definition> asked = new ArrayList<>();
        List<Integer> rooms = new ArrayList<>();
        boolean full = false;
        for (Definition definition : engine.registered()) {
            int room = definition.room().left();
            if (room > 0) {
                asked.add(definition);
                rooms.add(room);
            } else {
                full = true;
            }
        }
        // Of those without room nobody knows what is due.
        leftSome = full;
        if (asked.isEmpty() || stopping) {
            return false;
        }
        List<SagaRow> taken = new ArrayList<>();
        take(connection, asked, rooms, taken);
        taken.forEach(engine::resume);
        boolean more =
                taken.size() >= rooms.stream().mapToInt(Integer::intValue).min().orElse(0);
        leftSome = full || more;
        return more;
    }

    private void take(Connection connection, List<Definition> asked, List<Integer> rooms, List<SagaRow> taken)
            throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(SagaSql.TAKE)) {
            update.setArray(
                    1,
                    connection.createArrayOf(
                            "int4", asked.stream().map(Definition::id).toArray()));
            update.setArray(2, connection.createArrayOf("int4", rooms.toArray()));
            update.setArray(
                    3,
                    connection.createArrayOf(
                            "float8",
                            asked.stream()
                                    .map(definition ->
                                            definition.rules().lease().toMillis() / 1000.0)
                                    .toArray()));
            update.setObject(4, engine.node());
            try (ResultSet row = update.executeQuery()) {
                while (row.next()) {
                    taken.add(SagaRow.read(row));
                }
            }
        }
    }

    /** Sagas that nobody takes up, of a name that is known here: their version is missing. */
    private void tellOrphans(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT d.name, d.version, count(*) FROM hapax.saga_definition d JOIN hapax.saga s ON s.definition = d.id"
                        + " WHERE d.name = ANY (?) AND NOT d.id = ANY (?) AND s.due_at < now() - interval '15 seconds'"
                        + " GROUP BY d.name, d.version")) {
            select.setArray(1, connection.createArrayOf("text", engine.names().toArray()));
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "int4",
                            engine.registered().stream().map(Definition::id).toArray()));
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    String which = row.getString(1) + " version " + row.getInt(2);
                    if (toldOrphans.add(which)) {
                        LOG.warn(
                                "{} sagas of {} are due and nobody takes them up: no process has registered that version. Register its code, beside the newer one, until they have ended",
                                row.getLong(3),
                                which);
                    }
                }
            }
        }
    }
}
