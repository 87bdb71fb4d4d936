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
     * @param turn waits, before each call that reaches the database, until it is the process's turn
     */
    record Wiring(
            Tripwire tripwire,
            Mutation mutation,
            Pattern alsoWrites,
            BiConsumer<Node, Mode> disturbance,
            BiConsumer<Node, Connection> turn) {}

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
     * Does something that lasts outside the database, such as a call to another system; before and after it are points.
     *
     * @param name what it is, for people: the same each time
     * @param step what is done
     * @return what it returns
     * @throws Exception what it throws
     */
    public <T> T step(String name, Callable<T> step) throws Exception {
        pass(Kind.STEP, Side.BEFORE, true, name);
        T result = step.call();
        pass(Kind.STEP, Side.AFTER, true, name);
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

    void owns(AutoCloseable session) {
        sessions.add(session);
    }

    void ownsNoLonger(AutoCloseable session) {
        sessions.remove(session);
    }

    /** Passes a point without a connection. */
    void pass(Kind kind, Side side, boolean commits, String label) {
        checkAlive();
        Mode mode = wiring.tripwire().pass(kind, side, commits, label);
        if (mode != null) {
            wiring.disturbance().accept(this, mode);
        }
        if (mode == Mode.DIES) {
            throw die(side, label);
        }
    }

    ProcessDeath die(Side side, String label) {
        kill();
        return new ProcessDeath((side == Side.BEFORE ? "before " : "after ") + label);
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
        return wiring.tripwire().pass(kind, side, commits, text.label());
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

    int backend(Connection raw) {
        return connections.backend(raw);
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
