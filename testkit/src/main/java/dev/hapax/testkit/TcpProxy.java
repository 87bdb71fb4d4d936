package dev.hapax.testkit;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A proxy in front of a PostgreSQL server, or of another one ({@link #ofBytes}): a network that fails on demand.
 *
 * <p>It loses connections at a chosen moment, above all around a commit. It reads the client's messages, so that it knows which statement is about to
 * run, prepared ones too. A cut is armed for the next statement that fits and happens once; several are taken in the order in which they were armed.
 *
 * <p>It is slow, stands still, swallows what it is sent, keeps ends of connections to itself, or refuses new ones, until it is told otherwise; all
 * connections are concerned, also those that are made meanwhile. {@link #heal()} ends all of it.
 *
 * <p>The proxy listens on the loopback interface and forwards to it. Encrypted connections are declined, as PostgreSQL without certificates would.
 *
 * <p>Thread-safe.
 */
public final class TcpProxy implements AutoCloseable {
    static final Logger LOG = LoggerFactory.getLogger(TcpProxy.class);
    private static final int MAX_CONNECTIONS = 1_000;

    private final ServerSocket listener;
    private final boolean readsStatements;
    private final Set<ProxiedConnection> connections = ConcurrentHashMap.newKeySet();
    private final Queue<Cut> armed = new ConcurrentLinkedQueue<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition cutHappened = lock.newCondition();
    private final Condition weatherChanged = lock.newCondition();
    private long cuts;
    private Weather weather = Weather.FINE;
    private Random chance = new Random(0);
    private volatile int target;
    private volatile boolean admitting = true;

    /** When, seen from the statement that fits, the connection is lost. */
    public enum Moment {
        /** The server never hears of the statement; it sees the connection end and rolls back. */
        BEFORE_SENT,
        /** The server has been sent the statement; the client loses the connection at once, while the server may still be at it. */
        AFTER_SENT,
        /** The server has run the statement and answered; the client loses the connection instead of getting the answer. */
        AFTER_ANSWERED
    }

    /** Which way bytes go. */
    public enum Direction {
        /** What the client sends. */
        TO_SERVER,
        /** What the server answers. */
        TO_CLIENT,
        /** Both ways. */
        BOTH;

        private boolean covers(Direction other) {
            return this == BOTH || this == other;
        }
    }

    /**
     * What happens to bytes and to ends of connections.
     *
     * @param stalled where nothing passes for now
     * @param swallowed where what is sent is gone for good
     */
    private record Weather(
            long latencyNanos,
            long jitterNanos,
            @Nullable Direction stalled,
            @Nullable Direction swallowed,
            long closeNanos) {
        static final Weather FINE = new Weather(0, 0, null, null, 0);

        boolean stalls(Direction direction) {
            return stalled != null && stalled.covers(direction);
        }

        boolean swallows(Direction direction) {
            return swallowed != null && swallowed.covers(direction);
        }
    }

    record Cut(Predicate<String> statement, Moment moment) {}

    private TcpProxy(ServerSocket listener, int target, boolean readsStatements) {
        this.listener = listener;
        this.readsStatements = readsStatements;
        this.target = target;
    }

    /**
     * Starts a proxy on a free port.
     *
     * @param targetPort the server's port on the loopback interface
     * @return the running proxy
     */
    public static TcpProxy to(int targetPort) {
        return start(targetPort, true);
    }

    /**
     * Starts a proxy on a free port for a server that isn't PostgreSQL: it can't be cut at a statement, all else is the same.
     *
     * @param targetPort the server's port on the loopback interface; see {@link #retarget}
     * @return the running proxy
     */
    public static TcpProxy ofBytes(int targetPort) {
        return start(targetPort, false);
    }

    private static TcpProxy start(int targetPort, boolean readsStatements) {
        try {
            ServerSocket listener = new ServerSocket();
            listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
            TcpProxy proxy = new TcpProxy(listener, targetPort, readsStatements);
            Thread.ofVirtual().name("hapax-testkit-proxy").start(proxy::accept);
            return proxy;
        } catch (IOException failure) {
            throw new UncheckedIOException("could not listen on the loopback interface", failure);
        }
    }

    /** {@return the port to connect to instead of the server's} */
    public int port() {
        return listener.getLocalPort();
    }

    /** The next COMMIT is lost before the server hears of it: nothing of that transaction happens. */
    public void cutBeforeCommitSent() {
        cut(TcpProxy::isCommit, Moment.BEFORE_SENT);
    }

    /** The next COMMIT is sent to the server, and the client loses the connection at once: the server commits while the client looks. */
    public void cutAfterCommitSent() {
        cut(TcpProxy::isCommit, Moment.AFTER_SENT);
    }

    /** The next COMMIT is done and answered, but the client loses the connection instead of the answer. */
    public void cutAfterCommitAnswered() {
        cut(TcpProxy::isCommit, Moment.AFTER_ANSWERED);
    }

    /**
     * Arms a cut for the next statement that fits.
     *
     * @param statement whether a statement fits, given its SQL as the client sent it; called from several threads
     * @param moment when the connection is lost
     */
    public void cut(Predicate<String> statement, Moment moment) {
        armed.add(new Cut(statement, moment));
    }

    /** Forgets the cuts that were armed and have not happened. */
    public void disarm() {
        armed.clear();
    }

    /** Loses all connections that are open now. */
    public void cutAll() {
        connections.forEach(ProxiedConnection::close);
    }

    /** Loses all connections that are open now on the client's side; the server hears of it when the network says so, see {@link #closeSlowly} and {@link #stall}. */
    public void abandonAll() {
        connections.forEach(ProxiedConnection::abandon);
    }

    /** Ends new connections as soon as they are made, until {@link #admit()}; those that are open stay. */
    public void refuse() {
        admitting = false;
    }

    /** Takes new connections again. */
    public void admit() {
        admitting = true;
    }

    /**
     * Delays what passes, each way, until {@link #heal()}: a round trip takes twice the latency longer. Bytes keep their order.
     *
     * @param latency how much at least, up to a minute
     * @param jitter how much is added at most, drawn for each burst; zero for none; up to a minute
     * @param seed of what is drawn
     */
    public void slow(Duration latency, Duration jitter, long seed) {
        long atLeast = nanos("latency", latency);
        long added = nanos("jitter", jitter);
        lock.lock();
        try {
            chance = new Random(seed);
        } finally {
            lock.unlock();
        }
        change(now -> new Weather(atLeast, added, now.stalled(), now.swallowed(), now.closeNanos()));
    }

    /**
     * Holds back what is sent, and ends of connections, as a network that is down for a while. With {@link #heal()} it arrives after all, late: a COMMIT, say, of
     * a client that has been given up long ago.
     *
     * @param direction which way
     */
    public void stall(Direction direction) {
        change(now -> new Weather(now.latencyNanos(), now.jitterNanos(), direction, now.swallowed(), now.closeNanos()));
    }

    /**
     * Takes connections and what is sent, and passes nothing on, not even the end of a connection: connections are half-open, and whoever waits for an answer waits in vain. With
     * {@link #heal()} those that lost something are cut.
     *
     * @param direction which way
     */
    public void swallow(Direction direction) {
        change(now -> new Weather(now.latencyNanos(), now.jitterNanos(), now.stalled(), direction, now.closeNanos()));
    }

    /**
     * Tells the end of a connection late, until {@link #heal()}: a client that has died keeps its session, its transaction and its locks for so long.
     *
     * @param delay how late, up to a minute
     */
    public void closeSlowly(Duration delay) {
        long late = nanos("delay", delay);
        change(now -> new Weather(now.latencyNanos(), now.jitterNanos(), now.stalled(), now.swallowed(), late));
    }

    /** Ends all that was wrong: what was held back passes, connections that lost something are cut, new ones are taken, cuts that were armed are forgotten. */
    public void heal() {
        disarm();
        admit();
        change(now -> Weather.FINE);
        connections.stream().filter(ProxiedConnection::hasLostBytes).forEach(ProxiedConnection::close);
    }

    /**
     * Forwards new connections to another server; those that are open stay.
     *
     * @param targetPort that server's port on the loopback interface
     */
    public void retarget(int targetPort) {
        target = targetPort;
    }

    private static long nanos(String what, Duration duration) {
        if (duration.isNegative() || duration.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new IllegalArgumentException(what + " is " + duration + "; allowed are 0 to 1 minute");
        }
        return duration.toNanos();
    }

    private void change(UnaryOperator<Weather> step) {
        lock.lock();
        try {
            weather = step.apply(weather);
            weatherChanged.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits as long as the network holds bytes back; false if they are lost. */
    boolean passes(Direction direction, ProxiedConnection connection) throws InterruptedIOException {
        return passes(direction, connection, false);
    }

    /** Waits as long as the network keeps the end of a connection to itself. */
    void awaitEnd(Direction direction, ProxiedConnection connection) throws InterruptedIOException {
        passes(direction, connection, true);
    }

    private boolean passes(Direction direction, ProxiedConnection connection, boolean end)
            throws InterruptedIOException {
        lock.lock();
        try {
            long left = end ? weather.closeNanos() : delayNanos();
            while (!connection.isClosed() && (left > 0 || holds(direction, end))) {
                if (left > 0) {
                    left = weatherChanged.awaitNanos(left);
                    left = weather.equals(Weather.FINE) ? 0 : left;
                } else {
                    weatherChanged.await();
                }
            }
            return !connection.isClosed() && !weather.swallows(direction);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while bytes were held back");
        } finally {
            lock.unlock();
        }
    }

    /** Bytes are swallowed as they come; the end of a connection waits for better weather. */
    private boolean holds(Direction direction, boolean end) {
        return weather.stalls(direction) || (end && weather.swallows(direction));
    }

    private long delayNanos() {
        if (weather.latencyNanos() == 0 && weather.jitterNanos() == 0) {
            return 0;
        }
        return weather.latencyNanos() + (weather.jitterNanos() == 0 ? 0 : chance.nextLong(weather.jitterNanos()));
    }

    /** {@return how many armed cuts have happened} */
    public long cuts() {
        lock.lock();
        try {
            return cuts;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until a number of armed cuts have happened since the start.
     *
     * @param number how many in all
     * @param timeout how long to wait
     * @throws TimeoutException if there were fewer by then
     * @throws InterruptedException if this thread is interrupted
     */
    public void awaitCuts(long number, Duration timeout) throws TimeoutException, InterruptedException {
        long left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (cuts < number) {
                if (left <= 0) {
                    throw new TimeoutException(cuts + " of " + number + " cuts happened within " + timeout);
                }
                left = cutHappened.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Loses all connections and stops listening. */
    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException failure) {
            throw new UncheckedIOException("could not stop listening", failure);
        } finally {
            cutAll();
        }
    }

    /** COMMIT and END, also at the end of several statements; not COMMIT PREPARED, which belongs to another transaction. */
    private static boolean isCommit(String sql) {
        String last = sql.strip();
        while (last.endsWith(";")) {
            last = last.substring(0, last.length() - 1).strip();
        }
        last = last.substring(last.lastIndexOf(';') + 1).strip().toUpperCase(Locale.ROOT);
        return last.matches("(COMMIT|END)( (WORK|TRANSACTION))?");
    }

    /** The cut that the statement sets off, which is thereby used up. */
    Optional<Cut> take(String sql) {
        return armed.stream()
                .filter(cut -> cut.statement().test(sql) && armed.remove(cut))
                .findFirst();
    }

    void happened() {
        lock.lock();
        try {
            cuts++;
            cutHappened.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void ended(ProxiedConnection connection) {
        connections.remove(connection);
        // Its pumps may be waiting for better weather.
        change(now -> now);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                if (admitting && connections.size() < MAX_CONNECTIONS) {
                    forward(client);
                } else {
                    client.close();
                }
            } catch (IOException failure) {
                // A closed listener ends the loop; a server that is down has been shown to its client.
                LOG.debug("a connection could not be forwarded", failure);
            }
        }
    }

    private void forward(Socket client) throws IOException {
        Socket server = new Socket();
        try {
            server.connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), target), 5_000);
        } catch (IOException down) {
            client.close();
            throw down;
        }
        ProxiedConnection connection = new ProxiedConnection(this, client, server, readsStatements);
        connections.add(connection);
        connection.start();
        if (listener.isClosed()) {
            connection.close();
        }
    }
}
