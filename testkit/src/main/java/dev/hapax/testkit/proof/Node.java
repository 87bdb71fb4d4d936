package dev.hapax.testkit.proof;

import dev.hapax.testkit.proof.Point.Kind;
import dev.hapax.testkit.proof.Point.Side;
import dev.hapax.twophase.Participant;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One simulated process of a scenario: from its start to its end or death. All that a scenario builds for it, it builds on {@link #dataSource()}.
 *
 * <p>Safe for use by many threads; points are numbered on the thread that drives the scenario.
 */
public final class Node {

    private final int number;
    private final boolean again;
    private final RawConnections connections;
    private final Wiring wiring;
    private final DataSource source;
    private final Set<Connection> taken = ConcurrentHashMap.newKeySet();
    private final Set<AutoCloseable> sessions = ConcurrentHashMap.newKeySet();
    private volatile boolean dead;
    private final Set<String> refusing = ConcurrentHashMap.newKeySet();
    private volatile boolean refused;

    Node(int number, boolean again, RawConnections connections, Wiring wiring) {
        this.number = number;
        this.again = again;
        this.connections = connections;
        this.wiring = wiring;
        this.source = CrashSource.of(this);
    }

    /**
     * What all processes of one run share.
     *
     * @param mutation how the program is made wrong on purpose
     * @param alsoWrites statements that write and don't look like it
     * @param disturbance what else happens when something goes wrong at a point, before it does
     * @param turn waits, before each call that leaves the process, until it is the process's turn; without a connection if the call is not one of the database
     * @param world what lies outside the database
     */
    record Wiring(
            Tripwire tripwire,
            Mutation mutation,
            Pattern alsoWrites,
            BiConsumer<Node, Mode> disturbance,
            BiConsumer<Node, @Nullable Connection> turn,
            World world) {}

    /** {@return the database, whose statements and commits are points} */
    public DataSource dataSource() {
        return source;
    }

    /** {@return which process of the run this is, from 1: the one that follows the first that died is the second} */
    public int number() {
        return number;
    }

    /** {@return whether all operations have been answered before, and are now sent once more} */
    public boolean isRedelivery() {
        return again;
    }

    /**
     * A system outside the database, as it is: what is done to it passes no points.
     *
     * @param type as it was given to {@link Scenario#outside}
     * @return the one of this run
     * @throws IllegalArgumentException if the scenario has none
     */
    public <W> W outside(Class<W> type) {
        return wiring.world().get(type);
    }

    /**
     * Another system, as this process reaches it: before and after each call is a point, at which the process dies, the call is refused, does not arrive, or is done and its answer is
     * lost. What goes wrong there is thrown as the JDK's own clients do; see {@link #around(Class, Object, OutsideFaults)}.
     *
     * @param type an interface
     * @param system what is called
     * @return what the process is to be given instead of it
     */
    public <T> T around(Class<T> type, T system) {
        return around(type, system, OutsideFaults.PLAIN);
    }

    /**
     * As {@link #around(Class, Object)}, with exceptions of your own.
     *
     * @param faults makes what a call throws when something goes wrong there
     */
    public <T> T around(Class<T> type, T system, OutsideFaults faults) {
        return CrashSource.proxy(type, new WatchedCalls(this, type.getSimpleName(), system, faults));
    }

    /**
     * Does something that lasts outside the database, such as sending a message, acknowledging one, or writing a file; before and after it are points. What goes wrong there is thrown as
     * the JDK's own clients do.
     *
     * @param name what it is, for people: the same each time
     * @param step what is done
     * @return what it returns
     * @throws Exception what it throws, or an {@code IOException} if it was refused, did not arrive, or its answer is lost
     */
    public <T extends @Nullable Object> T step(String name, Callable<T> step) throws Exception {
        return call(name, name, OutsideFaults.PLAIN, step);
    }

    /**
     * A place in a program at which nothing is done, and at which the process can die or be suspended: between two steps in memory, say.
     *
     * @param name what it is, for people: the same each time
     */
    public void point(String name) {
        pass(Kind.PLACE, Side.BEFORE, name);
    }

    /**
     * A call that leaves the process, between its points.
     *
     * @param system what refuses every further call once it refuses for good
     */
    <T extends @Nullable Object> T call(String system, String name, OutsideFaults faults, Callable<T> call)
            throws Exception {
        wiring.turn().accept(this, null);
        fail(pass(Kind.STEP, Side.BEFORE, name), system, name, faults);
        if (refusing.contains(system)) {
            throw faults.exception(Mode.FAILS_FOR_GOOD, name);
        }
        T result = call.call();
        fail(pass(Kind.STEP, Side.AFTER, name), system, name, faults);
        return result;
    }

    /**
     * A resource of this process beside its database, for two-phase commits: preparing and ending a branch are points, and its sessions end with the process.
     *
     * @param resource the real one
     * @return what the process uses instead
     */
    public Participant participant(Participant resource) {
        return new CrashParticipant(this, resource);
    }

    /**
     * Something that lasts no longer than this process, and not by itself: a client's connection to a broker. If the process dies, it is closed.
     *
     * @param session must end as one of a killed process would: what was not committed there stays undone
     */
    public void owns(AutoCloseable session) {
        sessions.add(session);
    }

    void ownsNoLonger(AutoCloseable session) {
        sessions.remove(session);
    }

    /** Passes a point of a resource beside the database, at which only the process itself can die or stand still. */
    void pass(Side side, String label) {
        pass(Kind.PLACE, side, label);
    }

    private void fail(@Nullable Mode mode, String system, String name, OutsideFaults faults) throws Exception {
        if (mode == Mode.FAILS_FOR_GOOD) {
            refusing.add(system);
        } else if (mode != null && mode != Mode.PAUSED) {
            throw faults.exception(mode, name);
        }
    }

    /** Passes a point without a connection; a process that dies there does not come back from it. */
    private @Nullable Mode pass(Kind kind, Side side, String label) {
        checkAlive();
        Mode mode = wiring.tripwire().pass(kind, side, true, label, label);
        if (mode != null) {
            wiring.disturbance().accept(this, mode);
        }
        if (mode == Mode.DIES) {
            throw die(kind, side, label);
        }
        return mode;
    }

    ProcessDeath die(Kind kind, Side side, String label) {
        kill();
        return new ProcessDeath(Point.words(kind, side) + label);
    }

    /** Nothing of this process reaches the database any more, and the server knows. */
    void kill() {
        dead = true;
        for (Connection connection : taken) {
            try {
                connections.cut(connection);
            } catch (SQLException e) {
                throw new IllegalStateException("a connection could not be cut", e);
            }
        }
        taken.clear();
        for (AutoCloseable session : sessions) {
            try {
                session.close();
            } catch (Exception e) {
                throw new IllegalStateException("a session could not be ended", e);
            }
        }
        sessions.clear();
    }

    void checkAlive() {
        if (dead) {
            throw new ProcessDeath("before this");
        }
    }

    boolean isDead() {
        return dead;
    }

    boolean isRefused() {
        return refused;
    }

    void refuseFromNowOn() {
        refused = true;
    }

    Wiring wiring() {
        return wiring;
    }

    @Nullable
    Mode pass(Point.Kind kind, Side side, SqlText text, boolean commits) {
        return wiring.tripwire().pass(kind, side, commits, text.label(), text.what());
    }

    Connection take() throws SQLException {
        checkAlive();
        Connection raw = connections.take();
        taken.add(raw);
        return raw;
    }

    void giveBack(Connection raw, boolean asItWas) throws SQLException {
        if (!taken.remove(raw)) {
            return;
        }
        if (asItWas) {
            connections.giveBack(raw);
        } else {
            connections.close(raw);
        }
    }

    /** The server's process behind a connection; 0 if there is none. */
    int backend(@Nullable Connection raw) {
        return raw == null ? 0 : connections.backend(raw);
    }

    /** Before each call that reaches the database. */
    void turn(Connection raw) {
        wiring.turn().accept(this, raw);
    }

    void cut(Connection raw) throws SQLException {
        taken.remove(raw);
        connections.cut(raw);
    }
}
