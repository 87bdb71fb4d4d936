package dev.hapax.testkit.fault;

import dev.hapax.testkit.BaseBackup;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import dev.hapax.testkit.Standby;
import dev.hapax.testkit.TcpProxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The faults of the real world that can be brought upon a {@link Site}. Each lasts from {@link Injection#begin()} to {@link Injection#end()}; some are over in a moment by themselves, and their end does nothing.
 *
 * <p>{@link #prepare} is called while all is well: a backup that is restored later is taken then.
 */
public enum Outage {
    /** The network takes some milliseconds longer, now more, now less. */
    SLOW_NETWORK("the network is slow") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> proxy.slow(Duration.ofMillis(5), Duration.ofMillis(25), seed));
        }
    },
    /** All connections are lost in one moment; new ones are taken. */
    CONNECTIONS_CUT("all connections are cut") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, TcpProxy::cutAll);
        }
    },
    /** Five connections are lost, each just before its COMMIT arrives. */
    CUT_BEFORE_COMMIT("connections are cut before COMMIT is sent") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> times(CUTS, proxy::cutBeforeCommitSent));
        }
    },
    /** Five connections are lost, each with its COMMIT sent and not yet answered. */
    CUT_AFTER_COMMIT_SENT("connections are cut when COMMIT is sent") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> times(CUTS, proxy::cutAfterCommitSent));
        }
    },
    /** Five connections are lost, each with its COMMIT done and the answer on its way. */
    CUT_AFTER_COMMIT("connections are cut instead of the answer to COMMIT") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> times(CUTS, proxy::cutAfterCommitAnswered));
        }
    },
    /** Nothing passes for a while; then all that was sent arrives, late. */
    NETWORK_STALLED("the network stands still") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> proxy.stall(TcpProxy.Direction.BOTH));
        }
    },
    /** Connections are taken, and nothing that is sent on any of them arrives, ever, not even their end. */
    HALF_OPEN("connections are half-open") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> proxy.swallow(TcpProxy.Direction.BOTH));
        }
    },
    /** What clients send is lost; what the server still has to say arrives. */
    HALF_OPEN_TO_SERVER("connections are half-open towards the server") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> proxy.swallow(TcpProxy.Direction.TO_SERVER));
        }
    },
    /** What clients send arrives and takes effect; all answers are lost. */
    HALF_OPEN_TO_CLIENT("connections are half-open towards the clients") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> proxy.swallow(TcpProxy.Direction.TO_CLIENT));
        }
    },
    /** All clients lose their connections, and the server hears of it three seconds later: their sessions keep their locks for so long. */
    SLOW_CLOSE("ends of connections arrive late") {
        @Override
        Injection make(Site site, long seed) {
            return Injection.of(
                    () -> {
                        site.proxy().closeSlowly(Duration.ofSeconds(3));
                        site.proxy().abandonAll();
                    },
                    site.proxy()::heal);
        }
    },
    /** All connections are cut, and new ones are refused. */
    REFUSED("connections are cut and refused") {
        @Override
        Injection make(Site site, long seed) {
            return network(site, proxy -> {
                proxy.refuse();
                proxy.cutAll();
            });
        }
    },
    /** The server and all its processes are killed with SIGKILL; it is started again at the end. */
    SERVER_KILLED("the server is killed") {
        @Override
        Injection make(Site site, long seed) {
            return Injection.of(site.server()::kill9, site.server()::restart);
        }
    },
    /** The server is shut down in order and started again. */
    SERVER_RESTARTED("the server is restarted") {
        @Override
        Injection make(Site site, long seed) {
            return Injection.of(site.server()::stop, site.server()::restart);
        }
    },
    /** The server is shut down at once, without a checkpoint, and started again. */
    SERVER_STOPPED_AT_ONCE("the server is stopped at once") {
        @Override
        Injection make(Site site, long seed) {
            return Injection.of(site.server()::stopImmediately, site.server()::restart);
        }
    },
    /** All sessions are terminated by an operator. */
    SESSIONS_TERMINATED("all sessions are terminated") {
        @Override
        Injection make(Site site, long seed) {
            return Injection.of(() -> site.server().terminateSessions(), () -> {});
        }
    },
    /** The disk with the database is full. Only for a site on a {@link LimitedDisk}. A server that stopped because of it is started again at the end. */
    DISK_FULL("the disk is full") {
        @Override
        Injection make(Site site, long seed) {
            LimitedDisk disk = site.disk()
                    .orElseThrow(
                            () -> new IllegalStateException("the site's database is not on a disk that can be full"));
            return Injection.of(disk::fill, () -> {
                disk.free();
                if (!site.server().isRunning()) {
                    site.server().restart();
                }
            });
        }

        @Override
        public Optional<String> problem(Site site) {
            return site.disk().isPresent()
                    ? Optional.empty()
                    : Optional.of("a full disk can't be tried: the site's database is not on a disk that can be full");
        }
    },
    /** All sessions are ended, and somebody else takes every connection that the server gives. */
    OUT_OF_CONNECTIONS("the server is out of connections") {
        @Override
        Injection make(Site site, long seed) {
            return new Hogging(site);
        }
    },
    /** Somebody leaves a transaction open and idle. */
    TRANSACTION_LEFT_OPEN("a transaction is left open") {
        @Override
        Injection make(Site site, long seed) {
            return new Idling(site.server());
        }
    },
    /**
     * The server is lost, and a standby takes its place that had stopped receiving at the beginning: what was committed between begin and end is gone.
     */
    FAILOVER_WITH_LOSS("a standby takes over that lacks the last commits") {
        @Override
        Injection make(Site site, long seed) {
            return new Failover(site, Standby.of(site.server()));
        }

        @Override
        public boolean losesCommits() {
            return true;
        }
    },
    /** The server is replaced by a backup that was taken when the outage was prepared: what was committed since then is gone. */
    RESTORED_FROM_BACKUP("the database is restored from a backup") {
        @Override
        Injection make(Site site, long seed) {
            return new Restore(site.server(), site.server().backUp());
        }

        @Override
        public boolean losesCommits() {
            return true;
        }
    };

    private static final int CUTS = 5;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String title;

    Outage(String title) {
        this.title = title;
    }

    /** {@return what happens, in words for a report} */
    public String title() {
        return title;
    }

    /** {@return whether commits that were acknowledged are lost by it, as no client can prevent} */
    public boolean losesCommits() {
        return false;
    }

    /**
     * {@return why it can't be tried on a site, in one line; empty if it can}
     *
     * @param site the site
     */
    public Optional<String> problem(Site site) {
        return Optional.empty();
    }

    /**
     * Makes ready, while all is well.
     *
     * @param site what it will happen to
     * @param seed of what it leaves to chance
     * @return the outage, to begin and to end
     * @throws IllegalStateException if it can't be tried there
     */
    public Injection prepare(Site site, long seed) {
        return make(site, seed);
    }

    abstract Injection make(Site site, long seed);

    /** What is done to the network. */
    private interface Change {
        void to(TcpProxy proxy);
    }

    private static Injection network(Site site, Change change) {
        return Injection.of(() -> change.to(site.proxy()), site.proxy()::heal);
    }

    private static void times(int number, Runnable step) {
        for (int i = 0; i < number; i++) {
            step.run();
        }
    }

    private static final class Hogging extends Injection {
        private final Site site;
        private @Nullable ConnectionHog hog;

        Hogging(Site site) {
            this.site = site;
        }

        /** Clients that could connect meanwhile would keep what they get. */
        @Override
        void start() {
            site.proxy().refuse();
            site.proxy().cutAll();
            hog = ConnectionHog.of(site.server());
            site.proxy().admit();
        }

        @Override
        void stop() {
            close();
        }

        @Override
        public void close() {
            if (hog != null) {
                hog.close();
                hog = null;
            }
        }
    }

    private static final class Idling extends Injection {
        private final EmbeddedDatabase server;
        private @Nullable OpenTransaction transaction;

        Idling(EmbeddedDatabase server) {
            this.server = server;
        }

        @Override
        void start() throws SQLException {
            transaction = OpenTransaction.on(server.database());
        }

        @Override
        void stop() {
            close();
        }

        @Override
        public void close() {
            if (transaction != null) {
                transaction.close();
                transaction = null;
            }
        }
    }

    private static final class Failover extends Injection {
        private final Site site;
        private final Standby standby;
        private boolean moved;

        Failover(Site site, Standby standby) {
            this.site = site;
            this.standby = standby;
        }

        @Override
        void start() throws SQLException {
            try {
                standby.awaitCaughtUp(PATIENCE);
            } catch (TimeoutException late) {
                throw new IllegalStateException("the standby does not keep up", late);
            }
            standby.stopReceiving();
        }

        @Override
        void stop() {
            site.server().kill9();
            standby.promote();
            moved = true;
            site.moveTo(standby.server(), standby);
        }

        @Override
        public void close() {
            if (!moved) {
                standby.close();
            }
        }
    }

    private static final class Restore extends Injection {
        private final EmbeddedDatabase server;
        private final BaseBackup backup;

        Restore(EmbeddedDatabase server, BaseBackup backup) {
            this.server = server;
            this.backup = backup;
        }

        @Override
        void start() {
            // The backup was taken before: from its moment on, all is at stake.
        }

        @Override
        void stop() {
            server.restore(backup);
        }

        @Override
        public void close() {
            backup.close();
        }
    }
}
