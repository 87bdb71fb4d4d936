package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.schema.Schema;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables are printed, checked, applied, and given to a role; what can't be reached is said without secrets. */
class SchemaCommandContractTest {

    private final TestDatabase database = EmbeddedDatabase.shared().createDatabase();
    private final Shell shell = Shell.on(database.jdbcUrl());

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void check_names_what_is_missing_until_apply_has_run() throws SQLException {
        assertThat(shell.run("schema", "check").endsWith(1).out()).contains("the schema \"hapax\" is not there");
        assertThat(shell.run("consumer", "list").endsWith(1).err())
                .contains("the tables are not there", "./hapax schema check");
        assertThat(shell.run("pause", "scope", "a", "--reason", "b").endsWith(1).err())
                .contains("the schema \"hapax\" is not there");

        assertThat(shell.ok("schema", "apply")).contains("applied V1__once.sql", "applied V3__control.sql");
        assertThat(shell.ok("schema", "check")).contains("is complete (version " + Schema.version() + ")");
        assertThat(shell.ok("schema", "apply")).contains("nothing to apply");

        database.execute("DROP TABLE hapax.paused; DROP TABLE hapax.held");
        assertThat(shell.run("schema", "check").endsWith(1).lines())
                .hasSize(2)
                .anyMatch(line -> line.contains("hapax.paused"))
                .anyMatch(line -> line.contains("hapax.held"));
    }

    @Test
    void what_is_printed_can_be_applied_by_hand() throws SQLException {
        database.execute(Shell.bare().ok("schema", "print"));

        assertThat(shell.ok("schema", "check")).contains("is complete");
    }

    @Test
    void a_role_that_was_granted_runs_a_service_without_being_able_to_change_tables() throws SQLException {
        shell.ok("schema", "apply");
        String role = "app_" + database.name();
        database.execute("CREATE ROLE " + role + " LOGIN");
        Shell asRole = shell.with("HAPAX_USER", role);
        try {
            assertThat(asRole.run("schema", "check").endsWith(1).out()).contains("may not");
            assertThat(asRole.run("consumer", "list").endsWith(1).err())
                    .contains("may not do that", "./hapax schema grants");

            assertThat(Shell.bare().ok("schema", "grants", "--role", role)).contains("GRANT", "-- not applied");
            assertThat(asRole.run("schema", "check").endsWith(1).out()).contains("may not");
            assertThat(shell.ok("schema", "grants", "--role", role, "--apply")).contains("-- applied");

            assertThat(asRole.ok("schema", "check")).contains("is complete");
            try (Hapax hapax = Hapax.on(database.dataSourceAs(role)).name("app").open()) {
                hapax.once(Key.generate("orders.place")).run(tx -> tx.publish("orders", "ann", "one"));
            }
            assertThat(asRole.ok("scope", "list")).contains("orders.place");
            assertThat(asRole.ok("consumer", "list")).contains("no consumer");
            assertThat(database.queryLong("SELECT count(*) FROM hapax.marker")).isEqualTo(1);
        } finally {
            database.execute("DROP OWNED BY " + role + "; DROP ROLE " + role);
        }
    }

    @Test
    void a_role_that_may_only_read_sees_all_lists_and_changes_nothing() throws SQLException {
        shell.ok("schema", "apply");
        String role = "reader_" + database.name();
        database.execute("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA hapax TO " + role
                + "; GRANT SELECT ON ALL TABLES IN SCHEMA hapax TO " + role
                + "; GRANT SELECT ON ALL SEQUENCES IN SCHEMA hapax TO " + role);
        Shell asRole = shell.with("HAPAX_USER", role);
        try {
            for (String list : List.of("consumer", "scope", "pause", "prune")) {
                asRole.ok(list, "list");
            }
            assertThat(asRole.run("pause", "scope", "a", "--reason", "b")
                            .endsWith(1)
                            .err())
                    .contains("the role of this connection", "./hapax schema grants");
            assertThat(database.queryLong("SELECT count(*) FROM hapax.paused")).isZero();
        } finally {
            database.execute("DROP OWNED BY " + role + "; DROP ROLE " + role);
        }
    }

    @Test
    void a_database_that_cant_be_reached_is_named_without_its_password() {
        Shell.Ran refused = Shell.bare()
                .run("consumer", "list", "--url", "jdbc:postgresql://127.0.0.1:1/shop?user=me&password=s3cret");

        assertThat(refused.endsWith(3).err())
                .contains("can't reach jdbc:postgresql://127.0.0.1:1/shop?user=me&password=***")
                .doesNotContain("s3cret");
        String noSuch = database.jdbcUrl().replace(database.name(), "no_such_database");
        assertThat(Shell.on(noSuch).run("pause", "list").endsWith(3).err()).contains("no_such_database");
        assertThat(Shell.on(noSuch)
                        .run("pause", "scope", "a", "--reason", "b")
                        .endsWith(3)
                        .err())
                .contains("can't reach jdbc:postgresql://127.0.0.1");
        assertThat(Shell.on(noSuch).run("schema", "check").endsWith(3).err()).contains("can't reach");
        assertThat(Shell.on(noSuch).run("schema", "apply").endsWith(3).err()).contains("can't reach");
    }

    @Test
    void a_password_comes_from_a_file_or_the_environment(@TempDir Path folder) throws SQLException, IOException {
        Path file = Files.writeString(folder.resolve("password"), "s3cret\n");
        shell.ok("schema", "apply");

        // The server asks nobody for a password; that one is read at all shows in the refusal of a file that isn't
        // there.
        assertThat(shell.ok("consumer", "list", "--password-file", file.toString()))
                .contains("no consumer");
        assertThat(shell.with("HAPAX_PASSWORD", "s3cret").ok("consumer", "list"))
                .contains("no consumer");
        assertThat(shell.run("consumer", "list", "--password-file", file + "x")
                        .endsWith(2)
                        .err())
                .contains("the password file can't be read");
    }

    @Test
    void a_wrong_command_line_ends_with_status_2_and_says_where_to_read_on() {
        assertThat(Shell.bare().run("consumer", "list").endsWith(2).err())
                .contains("give --url JDBC_URL, or set HAPAX_URL".substring(5))
                .contains("see ./hapax consumer list --help");
        assertThat(Shell.bare().run("consumer").endsWith(2).err()).contains("Missing required subcommand");
        assertThat(Shell.bare().run("consumer", "lst").endsWith(2).err()).contains("'lst'");
        assertThat(shell.run("consumer", "list", "--url", "postgres://x:s3cret@y/z")
                        .endsWith(2)
                        .err())
                .contains("must begin with jdbc:postgresql:")
                .doesNotContain("s3cret");
        assertThat(shell.run("consumer", "list", "--password", "s3cret")
                        .endsWith(2)
                        .err())
                .contains("there is no option --password here")
                .doesNotContain("s3cret");
        assertThat(shell.run("consumer", "list", "--password=s3cret")
                        .endsWith(2)
                        .err())
                .doesNotContain("s3cret");
        assertThat(shell.run("quarantine", "list", "billing", "--limit", "0")
                        .endsWith(2)
                        .err())
                .contains("--limit must be between 1 and 10000");
        assertThat(shell.run("schema", "grants", "--role", "a b").endsWith(2).err())
                .contains("a role's name must be");
    }
}
