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

    @Test
    void a_role_is_named_in_plain_characters() {
        assertThatThrownBy(() -> Schema.grants("x\"; DROP TABLE y; --")).isInstanceOf(IllegalArgumentException.class);
    }
}
