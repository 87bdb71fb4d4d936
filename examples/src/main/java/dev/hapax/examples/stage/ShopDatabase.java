package dev.hapax.examples.stage;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.OrderPlaced;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.BaseBackup;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.Standby;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The PostgreSQL server of a run, and its tables. Thread-safe. */
public final class ShopDatabase implements AutoCloseable {
    private static final String WAITING = """
            SELECT (SELECT count(*) FROM hapax.log l
                    LEFT JOIN hapax.position p ON p.consumer = ? AND p.lane = l.lane
                    WHERE l.topic = ? AND (p.lane IS NULL OR l.number > p.low AND NOT p.done @> l.number))
                 + (SELECT count(*) FROM hapax.held WHERE consumer = ? AND state = 'RETRY')
                 + (SELECT count(*) FROM hapax.claim) + (SELECT count(*) FROM hapax.saga)""";

    private static final String BILLED = """
            SELECT coalesce(sum(p.low + (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(p.done) AS r)), 0)
            FROM hapax.position p WHERE p.consumer = ?""";

    private final EmbeddedDatabase own;
    private final boolean naive;
    private volatile EmbeddedDatabase server;
    private @Nullable Standby successor;

    private ShopDatabase(EmbeddedDatabase server, boolean naive) {
        this.own = server;
        this.server = server;
        this.naive = naive;
    }

    /**
     * Starts a server for a run, with empty tables.
     *
     * @param data where it is kept, with the run that replaces the one before; null for a folder that is deleted at the end
     * @param naive whether the shop does without Hapax
     * @return the running server
     * @throws RunException if the folder is something else's, or the server doesn't start
     */
    public static ShopDatabase fresh(@Nullable Path data, boolean naive) {
        return fresh(data, naive, settings -> settings);
    }

    /**
     * As {@link #fresh(Path, boolean)}, with settings of the server.
     *
     * @param data where it is kept; null for a folder that is deleted at the end
     * @param naive whether the shop does without Hapax
     * @param settings adds them
     * @return the running server
     * @throws RunException if the folder is something else's, or the server doesn't start
     */
    public static ShopDatabase fresh(
            @Nullable Path data, boolean naive, UnaryOperator<EmbeddedDatabase.Builder> settings) {
        if (data != null) {
            refuseForeign(data);
            ShopBroker.discard(data);
        }
        ShopDatabase database = new ShopDatabase(start(data, settings), naive);
        try {
            database.createTables();
        } catch (SQLException failure) {
            database.close();
            throw new RunException("the tables could not be created: " + failure.getMessage(), failure);
        }
        return database;
    }

    /**
     * Starts the server that a run has kept, as it is.
     *
     * @param data where
     * @return the running server
     * @throws RunException if there is none, another process has it open, or it doesn't start
     */
    public static EmbeddedDatabase kept(Path data) {
        if (!isDatabase(data)) {
            throw new RunException("no run was kept in " + data + "; keep one with: ./hapax demo --data " + data, null);
        }
        return start(data, settings -> settings);
    }

    private static boolean isDatabase(Path data) {
        return Files.exists(data.resolve("postgresql").resolve("PG_VERSION"));
    }

    private static void refuseForeign(Path data) {
        if (isDatabase(data) || !Files.exists(data)) {
            return;
        }
        try (Stream<Path> content = Files.list(data)) {
            // What an interrupted start has left counts as ours.
            if (content.anyMatch(path -> !path.getFileName().toString().matches("postgresql.*|kafka|logs"))) {
                throw new RunException(data + " holds something else; choose an empty folder, or a new one", null);
            }
        } catch (IOException failure) {
            throw new RunException(
                    data + " can't be used as a folder for the database: " + failure.getMessage(), failure);
        }
    }

    private static EmbeddedDatabase start(@Nullable Path data, UnaryOperator<EmbeddedDatabase.Builder> settings) {
        try {
            EmbeddedDatabase.Builder builder = settings.apply(EmbeddedDatabase.builder());
            return (data == null ? builder : builder.directory(data)).start();
        } catch (IllegalStateException | UncheckedIOException failure) {
            throw new RunException(String.valueOf(failure.getMessage()), failure);
        }
    }

    /** An earlier run's rows would be counted with this one's, and its unread messages billed. */
    private void createTables() throws SQLException {
        server.database().execute("DROP SCHEMA IF EXISTS shop, billing, hapax CASCADE");
        server.database().execute(read("shop.sql"));
        if (naive) {
            server.database().execute(read("naive.sql"));
        } else {
            Schema.on(server.dataSource()).apply();
        }
    }

    static String read(String file) {
        try (InputStream in = ShopDatabase.class.getResourceAsStream("/dev/hapax/examples/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the shop is not whole: " + file + " is missing from it");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** {@return whether shop and billing do without Hapax} */
    public boolean isNaive() {
        return naive;
    }

    /** {@return the server that holds the rows now} */
    public EmbeddedDatabase server() {
        return server;
    }

    /**
     * Another server has the rows from now on. For one thread at a time.
     *
     * @param standby has taken the server's place; closed with this, or when another takes its place
     */
    public void moveTo(Standby standby) {
        server = standby.server();
        Standby before = successor;
        successor = standby;
        if (before != null) {
            before.close();
        }
    }

    /** Puts the rows where the run began, if another server has them. Nothing may be written meanwhile. */
    public void bringBack() {
        if (successor != null) {
            try (BaseBackup backup = server.backUp()) {
                own.restore(backup);
            }
            server = own;
            successor.close();
            successor = null;
        }
    }

    /** {@return where the superuser connects, without a password} */
    public String jdbcUrl() {
        return server.jdbcUrl();
    }

    /**
     * Connects.
     *
     * @return a connection of its own, to be closed
     * @throws SQLException if the server can't be reached
     */
    public Connection connect() throws SQLException {
        return server.dataSource().getConnection();
    }

    /**
     * Connects, and gives up soon.
     *
     * @param patience how long it waits, for the connection and for each answer; whole seconds
     * @return a connection of its own, to be closed
     * @throws SQLException if the server can't be reached in time
     */
    public Connection connectImpatiently(Duration patience) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl() + "&connectTimeout=" + patience.toSeconds()
                + "&socketTimeout=" + patience.toSeconds());
    }

    /**
     * How many messages billing has done, about: numbers that were drawn and not used count. Without Hapax: how many it has written down.
     *
     * @param connection asks
     * @return how many
     * @throws SQLException if the database can't be asked
     */
    public long billed(Connection connection) throws SQLException {
        if (naive) {
            return count(connection, "SELECT count(*) FROM billing.ledger");
        }
        try (PreparedStatement select = connection.prepareStatement(BILLED)) {
            select.setString(1, BillingWorker.CONSUMER);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /**
     * How many messages billing has still to do, and how many operations at the bank. Without Hapax: how many it has still to take.
     *
     * @param connection asks
     * @return how many
     * @throws SQLException if the database can't be asked
     */
    public long waiting(Connection connection) throws SQLException {
        return naive
                ? count(connection, "SELECT count(*) FROM shop.outbox")
                : waiting(connection, BillingWorker.CONSUMER);
    }

    /** How many messages a reader of the log has still to do. */
    long waiting(Connection connection, String reader) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(WAITING)) {
            select.setString(1, reader);
            select.setString(2, OrderPlaced.TOPIC);
            select.setString(3, reader);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /** How many messages billing has set aside for a person. */
    long quarantined(Connection connection) throws SQLException {
        return naive ? 0 : count(connection, "SELECT count(*) FROM hapax.held WHERE state = 'QUARANTINED'");
    }

    private static long count(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    @Override
    public void close() {
        if (successor != null) {
            successor.close();
        }
        own.close();
    }
}
