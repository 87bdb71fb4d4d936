package dev.hapax.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's process on one data directory: started, stopped, killed, and found again when an earlier JVM left it running.
 *
 * <p>The library unpacks the binaries and starts the server, but is not asked to stop it: it waits ten seconds for a server that is gone, and
 * deletes what should be kept. Guarded by its owner's lock.
 */
final class PostgresServer {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresServer.class);
    private static final Duration QUICK_START = Duration.ofSeconds(3);
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);
    private static final int LOG_TAIL_LINES = 20;

    private final Path data;
    private final Path log;
    private @Nullable ProcessHandle postmaster;
    private int port;

    PostgresServer(Path data, Path log, int port) {
        this.data = data;
        this.log = log;
        this.port = port;
    }

    /** Starts it, on the port of the last time if there was one. */
    void start(Map<String, String> settings) {
        stopLeftover();
        try {
            // The library locks this file in its process and keeps it locked; only one of our own locks decides who
            // owns the directory.
            Files.deleteIfExists(data.resolve("epg-lock"));
            if (port == 0) {
                port = freePort();
            }
            EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                    .setDataDirectory(data)
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setLocaleConfig("locale", "C")
                    .setPort(port)
                    .setPGStartupWait(QUICK_START)
                    .setOutputRedirector(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .setErrorRedirector(ProcessBuilder.Redirect.appendTo(log.toFile()));
            settings.forEach(builder::setServerConfig);
            startAndWait(builder);
        } catch (IOException | IllegalStateException failure) {
            stopLeftover();
            throw new IllegalStateException(
                    "PostgreSQL did not start on " + data + ", port " + port + "; the end of " + log + ":\n"
                            + logTail(),
                    failure);
        }
    }

    /** The library waits for its whole time even when the server has ended; so its time is short, and what recovers goes on being waited for. */
    private void startAndWait(EmbeddedPostgres.Builder builder) throws IOException {
        try {
            builder.start();
        } catch (IOException slow) {
            long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
            while (!answers()) {
                if (running().isEmpty() || System.nanoTime() - deadline >= 0) {
                    throw slow;
                }
                Processes.pause(Duration.ofMillis(20));
            }
        }
        postmaster = running().orElseThrow(() -> new IllegalStateException("PostgreSQL started and ended on " + data));
    }

    private boolean answers() {
        try (Connection connection = DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres", EmbeddedDatabase.USER, "")) {
            return connection.isValid(1);
        } catch (SQLException recovering) {
            LOG.debug("PostgreSQL does not answer yet", recovering);
            return false;
        }
    }

    static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return probe.getLocalPort();
        }
    }

    int port() {
        return port;
    }

    Path data() {
        return data;
    }

    /** The process that all others of it descend from. */
    long pid() {
        if (postmaster == null) {
            throw new IllegalStateException("PostgreSQL on " + data + " is not running");
        }
        return postmaster.pid();
    }

    boolean isRunning() {
        return postmaster != null && Processes.alive(postmaster);
    }

    /** Ends sessions, writes a checkpoint, ends; a server that doesn't within the time is killed. */
    void stop() {
        if (postmaster != null) {
            stop(postmaster);
            postmaster = null;
        } else {
            // A start that was cut short may have left one that nobody has seen.
            running().ifPresent(this::stop);
        }
    }

    private void stop(ProcessHandle server) {
        if (!Processes.alive(server)) {
            return;
        }
        // INT is its "fast" shutdown; TERM would wait for clients to leave.
        Processes.signal(server.pid(), "INT");
        if (!Processes.ended(server, STOP_TIMEOUT)) {
            LOG.warn("PostgreSQL (process {}) did not stop within {}; killing it", server.pid(), STOP_TIMEOUT);
            kill(server);
            forget();
        }
    }

    /** Ends it without a checkpoint, as its "immediate" shutdown: what it had not written back is recovered at the next start. */
    void quit() {
        if (postmaster == null) {
            throw new IllegalStateException("PostgreSQL on " + data + " is not running");
        }
        Processes.signal(postmaster.pid(), "QUIT");
        if (!Processes.ended(postmaster, STOP_TIMEOUT)) {
            throw new IllegalStateException(
                    "PostgreSQL (process " + postmaster.pid() + ") did not quit within " + STOP_TIMEOUT);
        }
        postmaster = null;
        forget();
    }

    /** Kills it and all its processes at once, as a power cut would stop them. */
    void kill9() {
        if (postmaster == null) {
            throw new IllegalStateException("PostgreSQL on " + data + " is not running");
        }
        kill(postmaster);
        postmaster = null;
        forget();
    }

    /** All its processes are gone; a new server may still see the old one listed as ended, and would take that for life. */
    private void forget() {
        try {
            Files.deleteIfExists(data.resolve("postmaster.pid"));
        } catch (IOException failure) {
            throw new UncheckedIOException("could not remove the process id of the server on " + data, failure);
        }
    }

    /** All are gone when it returns: a new server refuses to start while a child of the old one lives. */
    private static void kill(ProcessHandle server) {
        List<ProcessHandle> family = Processes.killTree(server);
        for (ProcessHandle member : family) {
            if (!Processes.ended(member, STOP_TIMEOUT)) {
                throw new IllegalStateException("process " + member.pid() + " of PostgreSQL outlived SIGKILL");
            }
        }
    }

    /** A JVM that was killed leaves its server running; a new one would wait for the directory in vain. */
    private void stopLeftover() {
        running().ifPresent(leftover -> {
            LOG.info("stopping PostgreSQL (process {}) that an earlier run left on {}", leftover.pid(), data);
            stop(leftover);
        });
    }

    /** The server that owns the data directory, if it lives and is no stranger that got the same process id. */
    private Optional<ProcessHandle> running() {
        Path pidFile = data.resolve("postmaster.pid");
        try {
            if (!Files.exists(pidFile)) {
                return Optional.empty();
            }
            List<String> lines = Files.readAllLines(pidFile);
            if (lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,10}")) {
                return Optional.empty();
            }
            return ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                    .filter(Processes::alive)
                    .filter(this::isOurs);
        } catch (IOException failure) {
            throw new UncheckedIOException("could not read " + pidFile, failure);
        }
    }

    private boolean isOurs(ProcessHandle process) {
        boolean postgres = process.info().command().orElse("").contains("postgres");
        return postgres
                && process.info()
                        .arguments()
                        .map(arguments -> List.of(arguments).contains(data.toString()))
                        .orElse(true);
    }

    private String logTail() {
        try {
            List<String> lines = Files.exists(log) ? Files.readAllLines(log) : List.of("(it is empty)");
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
        } catch (IOException failure) {
            return "(it could not be read: " + failure.getMessage() + ")";
        }
    }
}
