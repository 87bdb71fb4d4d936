package dev.hapax.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A second server that follows a first one by asynchronous streaming replication, and can take its place.
 *
 * <p>For a failover that loses commits: {@link #stopReceiving()}, let the primary commit, kill it, {@link #promote()}. Thread-safe.
 */
public final class Standby implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Standby.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final EmbeddedDatabase primary;
    private final EmbeddedDatabase server;
    private final String slot;

    private Standby(EmbeddedDatabase primary, EmbeddedDatabase server, String slot) {
        this.primary = primary;
        this.server = server;
        this.slot = slot;
    }

    /**
     * Starts a standby from a base backup of a running server.
     *
     * @param primary the server to follow; it keeps its log for the standby until this is closed
     * @return the standby, which receives what the primary commits and answers queries
     * @throws IllegalStateException if it doesn't start
     */
    public static Standby of(EmbeddedDatabase primary) {
        try {
            return of(primary, primary.newSibling());
        } catch (IOException failure) {
            throw new UncheckedIOException("no directory for a standby of " + primary, failure);
        }
    }

    /**
     * Starts a standby in a certain place, such as a {@link LimitedDisk}.
     *
     * @param primary the server to follow; it keeps its log for the standby until this is closed
     * @param root where the standby has its files; created if it isn't there, and deleted when this is closed
     * @return the standby, which receives what the primary commits and answers queries
     * @throws IllegalStateException if it doesn't start
     */
    public static Standby of(EmbeddedDatabase primary, Path root) {
        String slot = "hapax_standby_" + ProcessHandle.current().pid() + "_" + NUMBERS.incrementAndGet();
        try {
            primary.database().queryLong("SELECT count(pg_create_physical_replication_slot('" + slot + "', true))");
            Files.createDirectories(root);
            try (BaseBackup backup = primary.backUp()) {
                backup.copyTo(root.resolve("postgresql"));
            }
            Files.createFile(root.resolve("postgresql/standby.signal"));
            Files.writeString(
                    root.resolve("postgresql/postgresql.auto.conf"),
                    "primary_conninfo = 'host=127.0.0.1 port=" + primary.port() + " user=" + EmbeddedDatabase.USER
                            + "'\nprimary_slot_name = '" + slot + "'\n",
                    StandardOpenOption.APPEND);
            return new Standby(primary, EmbeddedDatabase.startOn(root, primary), slot);
        } catch (SQLException failure) {
            throw new IllegalStateException("could not reserve a standby's log at " + primary, failure);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not set up a standby of " + primary, failure);
        }
    }

    /** {@return the standby's server; it takes writes after {@link #promote()}, and is stopped and deleted with this} */
    public EmbeddedDatabase server() {
        return server;
    }

    /**
     * Waits until all that the primary has committed by now can be read here.
     *
     * @param timeout how long to wait
     * @throws TimeoutException if it was not there by then
     * @throws SQLException if one of the servers can't be asked
     */
    public void awaitCaughtUp(Duration timeout) throws SQLException, TimeoutException {
        String goal = lsn(primary, "pg_current_wal_lsn()");
        long deadline = System.nanoTime() + timeout.toNanos();
        while (server.database()
                        .queryLong("SELECT CASE WHEN pg_last_wal_replay_lsn() >= '" + goal + "' THEN 1 ELSE 0 END")
                == 0) {
            if (System.nanoTime() - deadline >= 0) {
                throw new TimeoutException("the standby has replayed " + lsn(server, "pg_last_wal_replay_lsn()")
                        + " of " + goal + " after " + timeout);
            }
            Processes.pause(Duration.ofMillis(5));
        }
    }

    private static String lsn(EmbeddedDatabase server, String function) throws SQLException {
        try (Connection connection = server.dataSource().getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT " + function);
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getString(1);
        }
    }

    /**
     * Stops following: what the primary commits from now on will be lost when this takes its place.
     *
     * @throws IllegalStateException if it goes on receiving
     */
    public void stopReceiving() {
        try {
            server.database().execute("ALTER SYSTEM SET primary_conninfo = ''");
            server.database().execute("SELECT pg_reload_conf()");
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (server.database().queryLong("SELECT count(*) FROM pg_stat_wal_receiver") > 0) {
                if (System.nanoTime() - deadline >= 0) {
                    throw new IllegalStateException("the standby still receives after " + PATIENCE);
                }
                Processes.pause(Duration.ofMillis(5));
            }
        } catch (SQLException failure) {
            throw new IllegalStateException("the standby could not be told to stop receiving", failure);
        }
    }

    /**
     * Makes this the primary, on a new timeline. What it had not received is lost. The old primary must be gone, or nobody may write there any more.
     *
     * @throws IllegalStateException if it doesn't take writes within a minute
     */
    public void promote() {
        try {
            if (server.database().queryLong("SELECT CASE WHEN pg_promote(true, 60) THEN 1 ELSE 0 END") == 0) {
                throw new IllegalStateException("the standby did not become the primary within a minute");
            }
        } catch (SQLException failure) {
            throw new IllegalStateException("the standby could not be promoted", failure);
        }
    }

    /** Stops and deletes the standby, and lets the primary forget it. */
    @Override
    public void close() {
        server.close();
        if (primary.isRunning()) {
            try {
                primary.database()
                        .execute(
                                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '"
                                        + slot + "' AND NOT active");
            } catch (SQLException failure) {
                LOG.warn("the primary keeps the log of a standby that is gone (slot {})", slot, failure);
            }
        }
    }
}
