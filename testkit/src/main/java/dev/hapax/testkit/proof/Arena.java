package dev.hapax.testkit.proof;

import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;

/** A database of its own for one scenario, put back before each run. Used by one thread at a time. */
final class Arena implements AutoCloseable {

    private static final int VACUUM_EVERY = 150;
    private static final int LOOKS_MAX = 100_000;

    /** Who has a transaction open, or is doing something. */
    private static final String OTHERS = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND backend_type = 'client backend' AND state <> 'idle'""";

    /** What only grows, and what a run must find as a new service would. */
    private static final String EMPTIED = """
            SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
              AND (n.nspname, c.relname) NOT IN (('hapax', 'tree'), ('hapax', 'schema_version'), ('hapax', 'home'), ('hapax', 'log_identity'))
            ORDER BY 1""";

    /** Takes a lease from a live owner: only a run-out lease, by the database's own clock, may change hands. */
    private static final String WATCH = """
            CREATE SCHEMA proof;
            CREATE TABLE proof.robbed (consumer text, lane int, owner text, taken_by text);
            CREATE FUNCTION proof.watch_lease() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO proof.robbed VALUES (OLD.consumer, OLD.lane, OLD.owner, NEW.owner);
                RETURN NULL;
            END $$;
            CREATE TRIGGER watch_lease AFTER UPDATE ON hapax.position FOR EACH ROW
            WHEN (OLD.owner IS NOT NULL AND NEW.owner IS NOT NULL AND NEW.owner <> OLD.owner AND OLD.leased_until > clock_timestamp())
            EXECUTE FUNCTION proof.watch_lease();""";

    private final Scenario<?> scenario;
    private final TestDatabase database;
    private final Connection watcher;
    private final RawConnections connections;
    private final RawConnections impatient;
    private int runs;
    private World world = new World(Map.of());

    Arena(Scenario<?> scenario, EmbeddedDatabase server) throws SQLException {
        this.scenario = scenario;
        this.database = server.createDatabase();
        Schema.on(database.dataSource()).apply();
        this.watcher = database.dataSource().getConnection();
        this.connections = new RawConnections(database.dataSource(), "");
        this.impatient = new RawConnections(database.dataSource(), "SET lock_timeout = '15ms'");
        execute(WATCH);
        for (String ddl : scenario.ddl) {
            execute(ddl);
        }
        StringBuilder body = new StringBuilder();
        for (List<String> table : Rows.read(watcher, EMPTIED)) {
            body.append("DELETE FROM ").append(table.getFirst()).append("; ");
        }
        execute(
                "CREATE FUNCTION proof.reset() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$ BEGIN "
                        + body
                        + " UPDATE hapax.tree SET dropped_before = '-infinity' WHERE dropped_before <> '-infinity';"
                        + " FOR lane IN 0..15 LOOP PERFORM setval(CAST('hapax.lane_' || lane AS regclass), 1, false); END LOOP; END $$");
    }

    /** Everything as it was. */
    void reset() throws Exception {
        if (++runs % VACUUM_EVERY == 0) {
            execute("VACUUM");
        }
        execute("SELECT proof.reset()");
        world.close();
        world = new World(scenario.outside);
        for (Scenario.Before before : scenario.before) {
            before.each(watcher);
        }
    }

    /** What lies outside the database in this run. */
    World world() {
        return world;
    }

    /** A connection that is no part of the scenario. */
    Connection watcher() {
        return watcher;
    }

    String jdbcUrl() {
        return database.jdbcUrl();
    }

    /** Waits until the server has noticed that a process outside is gone. */
    void awaitAlone() throws SQLException {
        for (int i = 0; i < LOOKS_MAX; i++) {
            if (Rows.number(watcher, OTHERS) == 0) {
                return;
            }
        }
        throw new SQLException("the server has not noticed that a process is gone");
    }

    /** For a process that is driven. */
    RawConnections connections() {
        return connections;
    }

    /** For a process beside it, on the same thread: it must not wait for locks that are never let go. */
    RawConnections impatient() {
        return impatient;
    }

    /** All that waits for its time has waited long enough. Rows that are locked are left as they are. */
    void passTime() throws SQLException {
        execute("UPDATE hapax.held SET next_at = clock_timestamp() WHERE id IN"
                + " (SELECT id FROM hapax.held WHERE next_at > clock_timestamp() FOR UPDATE SKIP LOCKED)");
        execute("UPDATE hapax.delayed SET due_at = clock_timestamp() WHERE id IN"
                + " (SELECT id FROM hapax.delayed WHERE due_at > clock_timestamp() FOR UPDATE SKIP LOCKED)");
        for (String sql : scenario.passings) {
            execute(sql);
        }
    }

    /** All leases have run out. */
    void expireLeases() throws SQLException {
        execute("UPDATE hapax.position SET leased_until = '-infinity' WHERE (consumer, lane) IN"
                + " (SELECT consumer, lane FROM hapax.position WHERE owner IS NOT NULL FOR UPDATE SKIP LOCKED)");
        execute("UPDATE hapax.member SET seen_until = '-infinity' WHERE (consumer, node) IN"
                + " (SELECT consumer, node FROM hapax.member FOR UPDATE SKIP LOCKED)");
        for (String sql : scenario.expiries) {
            execute(sql);
        }
        for (Scenario.Look expiry : scenario.outsideExpiries) {
            expiry.findings(watcher, world);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = watcher.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws Exception {
        world.close();
        connections.close();
        impatient.close();
        watcher.close();
        database.close();
    }
}
