package dev.hapax.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.SchemaException;
import dev.hapax.Shop;
import dev.hapax.once.Verdict;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchemaContractTest {

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = EmbeddedDatabase.shared().createDatabase();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void an_empty_database_is_refused_and_left_alone() throws SQLException {
        assertThatThrownBy(() -> Shop.builder(database.dataSource()).open())
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining("schema apply");
        assertThat(database.queryLong("SELECT count(*) FROM pg_namespace WHERE nspname = 'hapax'"))
                .isZero();
    }

    @Test
    void what_is_applied_is_complete_and_applied_once_by_many_at_a_time() throws Exception {
        List<CompletableFuture<List<String>>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(Shop.async(() -> Schema.on(database.dataSource()).apply()));
        }
        int applied = 0;
        for (CompletableFuture<List<String>> one : all) {
            applied += one.get(30, TimeUnit.SECONDS).size();
        }
        assertThat(applied)
                .isEqualTo((int) database.queryLong("SELECT count(*) FROM hapax.schema_version"))
                .isPositive();
        assertThat(Schema.on(database.dataSource()).check()).isEmpty();
        assertThat(database.queryLong("SELECT max(version) FROM hapax.schema_version"))
                .isEqualTo(Schema.version());
    }

    @Test
    void what_is_printed_makes_the_same_schema() throws SQLException {
        database.execute(Schema.print());
        assertThat(Schema.on(database.dataSource()).check()).isEmpty();
    }

    @Test
    void each_missing_piece_is_named() throws SQLException {
        Schema.on(database.dataSource()).apply();
        database.execute("DROP TABLE hapax.held");
        database.execute("DROP TABLE hapax.outcome_90");
        assertThat(Schema.on(database.dataSource()).check())
                .hasSize(2)
                .anyMatch(problem -> problem.contains("hapax.held"))
                .anyMatch(problem -> problem.contains("hapax.outcome_90"));
        database.execute("INSERT INTO hapax.schema_version VALUES (99)");
        assertThat(Schema.on(database.dataSource()).check())
                .singleElement()
                .asString()
                .contains("99");
        database.execute("DELETE FROM hapax.schema_version WHERE version > 1");
        assertThat(Schema.on(database.dataSource()).check())
                .singleElement()
                .asString()
                .contains("version 1");
    }

    @Test
    void a_service_needs_no_ddl_rights_at_run_time() throws SQLException {
        Shop.prepare(database);
        String role = "svc_" + database.name();
        database.execute("CREATE ROLE " + role + " LOGIN");
        try {
            DataSource service = database.dataSourceAs(role);
            assertThat(Schema.on(service).check()).isNotEmpty();
            database.execute("GRANT SELECT, INSERT ON effect TO " + role);
            database.execute(Schema.grants(role));
            assertThat(Schema.on(service).check()).isEmpty();
            try (Connection connection = service.getConnection();
                    Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.execute("CREATE TABLE hapax.mine (a int)"))
                        .hasMessageContaining("permission denied");
                assertThatThrownBy(() -> statement.execute("DROP TABLE hapax.marker_timeless"))
                        .hasMessageContaining("must be owner");
            }
            try (Hapax hapax = Shop.builder(service).open()) {
                // A day that nobody has made a partition for yet.
                Key key = Key.of("orders", Shop.newId()).at(Instant.now().minus(Duration.ofDays(9)));
                for (int i = 0; i < 2; i++) {
                    assertThat(hapax.once(key).run(tx -> {
                                Shop.effect(tx.connection(), key.id());
                                tx.publish("t", "k", "body");
                                tx.publishAt(Instant.now().plusMillis(10), "t", "k", "later");
                            }))
                            .isEqualTo(i == 0 ? Verdict.APPLIED : Verdict.REPLAYED);
                }
                database.execute("UPDATE hapax.tree SET keep_days = 1 WHERE name = 'marker_30'");
                assertThat(hapax.housekeep()).isPositive();
                try (var consumer = hapax.consumer("c")
                        .topic("t")
                        .handle(String.class, (body, tx) -> Shop.effect(tx.connection(), body))
                        .start()) {
                    await().until(() ->
                            database.queryLong("SELECT count(*) FROM effect WHERE id IN ('body', 'later')") == 2);
                    assertThat(consumer.name()).isEqualTo("c");
                }
                assertThat(hapax.quarantine().retryAll("c")).isZero();
            }
        } finally {
            database.execute("DROP OWNED BY " + role);
            database.execute("DROP ROLE " + role);
        }
    }

    /** Names of the schema's things of one kind, but partitions of days. */
    private List<String> things(String query) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                names.add(row.getString(1));
            }
        }
        return names;
    }

    private List<String> relations(String kinds) throws SQLException {
        return things(
                "SELECT relname FROM pg_class WHERE relnamespace = 'hapax'::regnamespace AND NOT relispartition AND relkind IN ("
                        + kinds + ")");
    }

    @Test
    void each_thing_of_the_schema_is_missed_by_its_name() throws SQLException {
        Schema.on(database.dataSource()).apply();
        List<String> names = relations("'r', 'p', 'v'");
        names.addAll(relations("'S'").stream()
                .filter(name -> name.startsWith("lane_") || name.equals("claim_token"))
                .toList());
        names.addAll(things("SELECT proname FROM pg_proc WHERE pronamespace = 'hapax'::regnamespace"));
        names.addAll(
                things("SELECT typname FROM pg_type WHERE typnamespace = 'hapax'::regnamespace AND typtype = 'd'"));
        names.remove("schema_version");
        assertThat(names).contains("position", "marker_7", "lane_15", "ensure_partition", "doom", "saga_state");
        database.execute("CREATE SCHEMA away; ALTER TABLE hapax.schema_version SET SCHEMA away");
        database.execute("DROP SCHEMA hapax CASCADE; CREATE SCHEMA hapax;"
                + " ALTER TABLE away.schema_version SET SCHEMA hapax");
        List<String> problems = Schema.on(database.dataSource()).check();
        assertThat(names)
                .allSatisfy(name ->
                        assertThat(problems).anyMatch(problem -> problem.contains(" hapax." + name + " is not there")));
    }

    @Test
    void each_right_that_is_taken_away_is_missed_before_it_is_needed() throws SQLException {
        Shop.prepare(database);
        String role = "svc_" + database.name();
        database.execute("CREATE ROLE " + role + " LOGIN; SELECT hapax.ensure_partition('log', current_date)");
        try {
            database.execute(Schema.grants(role));
            Schema service = Schema.on(database.dataSourceAs(role));
            assertThat(service.check()).isEmpty();
            List<String> all = new ArrayList<>();
            for (String table : relations("'r', 'p', 'v'")) {
                for (String right : List.of("SELECT", "INSERT", "UPDATE", "DELETE")) {
                    all.add(right + " ON hapax." + table);
                }
            }
            for (String sequence : relations("'S'")) {
                all.add("USAGE ON SEQUENCE hapax." + sequence);
            }
            for (String function : things(
                    "SELECT CAST(oid AS regprocedure) FROM pg_proc"
                            + " WHERE pronamespace = 'hapax'::regnamespace AND NOT has_function_privilege('public', oid, 'EXECUTE')")) {
                all.add("EXECUTE ON FUNCTION " + function);
            }
            all.add("INSERT ON hapax.log_"
                    + things("SELECT to_char(current_date, 'YYYYMMDD')").getFirst());
            for (String right : all) {
                database.execute("REVOKE " + right + " FROM " + role);
                String named = right.replaceFirst(".*hapax\\.(\\w+).*", "$1");
                assertThat(service.check())
                        .as(right)
                        .singleElement()
                        .asString()
                        .contains(named)
                        .containsAnyOf(right.split(" ")[0], "schema_version");
                database.execute("GRANT " + right + " TO " + role);
            }
            database.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA hapax REVOKE DELETE ON TABLES FROM " + role);
            assertThat(service.check()).singleElement().asString().contains("DELETE", "days to come");
            assertThatThrownBy(() -> Shop.builder(database.dataSourceAs(role)).open())
                    .isInstanceOf(SchemaException.class)
                    .hasMessageContaining("schema grants");
        } finally {
            database.execute("DROP OWNED BY " + role);
            database.execute("DROP ROLE " + role);
        }
    }

    @Test
    void a_role_is_named_in_plain_characters() {
        assertThatThrownBy(() -> Schema.grants("x\"; DROP TABLE y; --")).isInstanceOf(IllegalArgumentException.class);
    }
}
