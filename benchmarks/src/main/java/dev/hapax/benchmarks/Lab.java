package dev.hapax.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import javax.sql.XADataSource;

/**
 * What both sides work on: a durable PostgreSQL of its own, Hapax's schema in it, one pool, one table for effects, and the partition of markers of today.
 */
final class Lab implements AutoCloseable {

    static final String SCOPE = "bench.pay";
    static final String SERVICE = "bench";

    /** The producer under which the hand-written side writes its markers, in the same partition. */
    static final String BY_HAND = "byhand";

    private static final int POOL = 40;

    private final TestDatabase database;
    private final boolean owner;
    final HikariDataSource pool;
    final Hapax hapax;
    final int scope;
    final int producer;
    final int byHand;

    /** The UTC day that the run began on. Its partition is where hand-written markers go. */
    final LocalDate day = LocalDate.now(ZoneOffset.UTC);

    private Lab(TestDatabase database, boolean owner, HikariDataSource pool, Hapax hapax) throws SQLException {
        this.database = database;
        this.owner = owner;
        this.pool = pool;
        this.hapax = hapax;
        // Gives both producers their numbers and the scope its partition; the database is asked for them as an operator
        // would.
        hapax.once(Key.generate(SCOPE)).run(tx -> {});
        hapax.once(Key.generate(SCOPE).producer(BY_HAND)).run(tx -> {});
        this.scope = (int) number("SELECT id FROM hapax.scope WHERE name = '" + SCOPE + "'");
        this.producer = (int) number("SELECT id FROM hapax.producer WHERE name = '" + SERVICE + "'");
        this.byHand = (int) number("SELECT id FROM hapax.producer WHERE name = '" + BY_HAND + "'");
        execute("TRUNCATE " + markers());
    }

    static Lab open(Report report) throws SQLException {
        EmbeddedDatabase server = EmbeddedDatabase.builder()
                .setting("max_wal_size", "4GB")
                .setting("shared_preload_libraries", "pg_stat_statements")
                .start();
        try {
            Lab lab = on(server.database(), true);
            lab.state(report);
            return lab;
        } catch (Throwable failure) {
            server.close();
            throw failure;
        }
    }

    /** The same once more, in a database of its own on the same server. */
    Lab beside() throws SQLException {
        return on(database.server().createDatabase(), false);
    }

    private static Lab on(TestDatabase database, boolean owner) throws SQLException {
        HikariDataSource pool = database.pooled(POOL);
        Schema.on(pool).apply();
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA bench");
            statement.execute("CREATE TABLE bench.effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                    + " side text NOT NULL, key text NOT NULL, amount numeric NOT NULL)");
            statement.execute("CREATE TABLE bench.outbox (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                    + " published_at timestamptz NOT NULL DEFAULT now(), id uuid NOT NULL, topic text NOT NULL,"
                    + " message_key text NOT NULL, body bytea NOT NULL)");
            statement.execute("CREATE TABLE bench.position (reader text PRIMARY KEY, number bigint NOT NULL)");
        }
        return new Lab(database, owner, pool, Hapax.on(pool).name(SERVICE).open());
    }

    private void state(Report report) throws SQLException {
        report.setting("postgresql", text("SHOW server_version"));
        for (String setting :
                List.of("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "wal_level")) {
            report.setting(setting, text("SHOW " + setting));
        }
        report.setting("jdk", Runtime.version().toString());
        report.setting("cores", Runtime.getRuntime().availableProcessors());
        report.setting("pool", "HikariCP, " + POOL + " connections, the same for all sides");
    }

    /** Today's partition of the log. */
    String log() {
        return "hapax.log_" + day.format(DateTimeFormatter.BASIC_ISO_DATE);
    }

    /** Today's partition of markers. */
    String markers() {
        return "hapax.marker_30_" + day.format(DateTimeFormatter.BASIC_ISO_DATE);
    }

    XADataSource xaDataSource() {
        return database.xaDataSource();
    }

    String jdbcUrl() {
        return database.jdbcUrl();
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    long number(String sql) throws SQLException {
        return Long.parseLong(text(sql));
    }

    String text(String sql) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** Markers of one producer, in all of its partitions. */
    long markersOf(int producerId) throws SQLException {
        return number("SELECT count(*) FROM hapax.marker_30 WHERE producer = " + producerId);
    }

    long effectsOf(String side) throws SQLException {
        return number("SELECT count(*) FROM bench.effect WHERE side = '" + side + "'");
    }

    /** Writes all dirty pages, so that no side pays for what was filled before. */
    void settle() throws SQLException {
        execute("CHECKPOINT");
    }

    @Override
    public void close() {
        hapax.close();
        pool.close();
        database.close();
        if (owner) {
            database.server().close();
        }
    }
}
