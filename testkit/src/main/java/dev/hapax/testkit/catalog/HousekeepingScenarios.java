package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** Partitions that are created ahead and dropped behind, beside an operation that needs one. */
final class HousekeepingScenarios {

    private static final String TODAY = "(clock_timestamp() AT TIME ZONE 'UTC')::date";

    private HousekeepingScenarios() {}

    static List<Scenario<?>> all() {
        return List.<Scenario<?>>of(housekeeping());
    }

    static Scenario<?> housekeeping() {
        return OnceScenarios.plain("housekeeping", OnceScenarios::key)
                .beforeEach(HousekeepingScenarios::scene)
                .background(hapax -> hapax.housekeep())
                .operations(1, (hapax, operation) -> {
                    hapax.housekeep();
                    hapax.once(OnceScenarios.key(operation))
                            .run(tx -> OnceScenarios.effect(tx.connection(), operation.id()));
                })
                .invariant("days are created ahead and dropped behind", HousekeepingScenarios::days);
    }

    /** No partition but one that is long over. */
    private static void scene(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    DO $$
                    DECLARE leaf text; old date := %1$s - 40;
                    BEGIN
                        FOR leaf IN SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                            WHERE i.inhparent = 'hapax.marker_30'::regclass LOOP
                            EXECUTE 'DROP TABLE ' || leaf;
                        END LOOP;
                        EXECUTE format('CREATE TABLE hapax.%%I PARTITION OF hapax.marker_30 FOR VALUES FROM (%%L) TO (%%L)',
                            'marker_30_' || to_char(old, 'YYYYMMDD'), old, old + 1);
                    END $$""".formatted(TODAY));
        }
    }

    private static List<String> days(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                var row = statement.executeQuery("SELECT to_regclass('hapax.marker_30_' || to_char(" + TODAY
                        + " - 40, 'YYYYMMDD')) IS NULL AND to_regclass('hapax.marker_30_' || to_char(" + TODAY
                        + " + 3, 'YYYYMMDD')) IS NOT NULL")) {
            row.next();
            return row.getBoolean(1) ? List.of() : List.of("a day is missing, or is still there");
        }
    }
}
