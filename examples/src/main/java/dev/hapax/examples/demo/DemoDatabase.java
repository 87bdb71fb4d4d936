package dev.hapax.examples.demo;

import dev.hapax.examples.shop.BillingWorker;
import dev.hapax.examples.shop.OrderPlaced;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The PostgreSQL server of a run, and its tables. Thread-safe. */
final class DemoDatabase implements AutoCloseable {
    private static final String WAITING = """
            SELECT (SELECT count(*) FROM hapax.log l
                    LEFT JOIN hapax.position p ON p.consumer = ? AND p.lane = l.lane
                    WHERE l.topic = ? AND (p.lane IS NULL OR l.number > p.low AND NOT p.done @> l.number))
                 + (SELECT count(*) FROM hapax.held WHERE consumer = ? AND state = 'RETRY')""";

    private final EmbeddedDatabase server;
    private final boolean naive;

    private DemoDatabase(EmbeddedDatabase server, boolean naive) {
        this.server = server;
        this.naive = naive;
    }

    /**
     * Starts a server for a run, with empty tables.
     *
     * @param data where it is kept, with the run that replaces the one before; null for a folder that is deleted at the end
     * @throws DemoException if the folder is something else's, or the server doesn't start
     */
    static DemoDatabase fresh(@Nullable Path data, boolean naive) {
        if (data != null) {
            refuseForeign(data);
        }
        DemoDatabase database = new DemoDatabase(start(data), naive);
        try {
            database.createTables();
        } catch (SQLException failure) {
            database.close();
            throw new DemoException("the tables could not be created: " + failure.getMessage(), failure);
        }
        return database;
    }

    /**
     * Starts the server that a run has kept, as it is.
     *
     * @throws DemoException if there is none, another process has it open, or it doesn't start
     */
    static EmbeddedDatabase kept(Path data) {
        if (!isDatabase(data)) {
            throw new DemoException(
                    "no run was kept in " + data + "; keep one with: ./hapax demo --data " + data, null);
        }
        return start(data);
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
            if (content.anyMatch(path -> !path.getFileName().toString().startsWith("postgresql"))) {
                throw new DemoException(data + " holds something else; choose an empty folder, or a new one", null);
            }
        } catch (IOException failure) {
            throw new DemoException(
                    data + " can't be used as a folder for the database: " + failure.getMessage(), failure);
        }
    }

    private static EmbeddedDatabase start(@Nullable Path data) {
        try {
            EmbeddedDatabase.Builder builder = EmbeddedDatabase.builder();
            return (data == null ? builder : builder.directory(data)).start();
        } catch (IllegalStateException | UncheckedIOException failure) {
            throw new DemoException(String.valueOf(failure.getMessage()), failure);
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

    private static String read(String file) {
        try (InputStream in = DemoDatabase.class.getResourceAsStream("/dev/hapax/examples/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the demo is not whole: " + file + " is missing from it");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    String jdbcUrl() {
        return server.jdbcUrl();
    }

    /** {@return a connection of its own, to be closed} */
    Connection connect() throws SQLException {
        return server.dataSource().getConnection();
    }

    /**
     * How many messages billing has still to do. Without Hapax: how many it has still to take.
     *
     * @throws SQLException if the database can't be asked
     */
    long waiting(Connection connection) throws SQLException {
        if (naive) {
            return count(connection, "SELECT count(*) FROM shop.outbox");
        }
        try (PreparedStatement select = connection.prepareStatement(WAITING)) {
            select.setString(1, BillingWorker.CONSUMER);
            select.setString(2, OrderPlaced.TOPIC);
            select.setString(3, BillingWorker.CONSUMER);
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
        server.close();
    }
}
