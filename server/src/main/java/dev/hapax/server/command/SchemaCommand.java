package dev.hapax.server.command;

import dev.hapax.schema.Schema;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The tables. */
@Command(
        name = "schema",
        description = "The tables that Hapax needs, in the schema \"hapax\" of the service's own database.",
        subcommands = {
            SchemaCommand.Print.class,
            SchemaCommand.Check.class,
            SchemaCommand.Apply.class,
            SchemaCommand.Grants.class
        },
        footer = {"", "Example:", "  ./hapax schema check --url jdbc:postgresql://db/shop"})
final class SchemaCommand {

    private SchemaCommand() {}

    /** Prints the SQL. */
    @Command(
            name = "print",
            description = "Prints all SQL, in order, as apply would run it on an empty database. Needs no database.",
            footer = {"", "Example:", "  ./hapax schema print > hapax.sql"})
    static final class Print implements Callable<Integer> {

        @Spec
        @SuppressWarnings("NullAway.Init")
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            out.print(Schema.print());
            out.flush();
            return Commands.DONE;
        }
    }

    /** Looks what is missing. */
    @Command(
            name = "check",
            description =
                    "Looks whether all is there and may be used by this role; changes nothing. Prints each missing piece; exit status 1 if there is one.",
            footer = {"", "Example:", "  ./hapax schema check --url jdbc:postgresql://db/shop --user shop"})
    static final class Check extends DatabaseCommand {

        @Override
        public Integer call() {
            List<String> problems = Schema.on(database().source()).check();
            problems.forEach(out()::println);
            if (problems.isEmpty()) {
                out().println("the schema \"hapax\" is complete (version " + Schema.version() + ")");
            }
            return problems.isEmpty() ? Commands.DONE : Commands.PROBLEM;
        }
    }

    /** Applies the SQL. */
    @Command(
            name = "apply",
            description =
                    "Applies the files that are not there yet, in one transaction, under a lock. Run it as the role that is to own the tables; doing it again changes nothing.",
            footer = {"", "Example:", "  ./hapax schema apply --url jdbc:postgresql://db/shop --user shop_owner"})
    static final class Apply extends DatabaseCommand {

        @Override
        public Integer call() {
            List<String> applied = Schema.on(database().source()).apply();
            applied.forEach(file -> out().println("applied " + file));
            if (applied.isEmpty()) {
                out().println("nothing to apply; the schema \"hapax\" has version " + Schema.version());
            }
            return Commands.DONE;
        }
    }

    /** What a service's role needs. */
    @Command(
            name = "grants",
            description =
                    "Prints the SQL that gives a role what a service needs at run time: rows and functions, no DDL. To be run by the tables' owner. Needs no database without --apply.",
            footer = {
                "",
                "Examples:",
                "  ./hapax schema grants --role shop",
                "  ./hapax schema grants --role shop --apply --url jdbc:postgresql://db/shop --user shop_owner"
            })
    static final class Grants extends DatabaseCommand {

        @Option(
                names = "--role",
                required = true,
                paramLabel = "NAME",
                description = "The role that the service connects as.")
        private String role = "";

        @Option(names = "--apply", description = "Also run it, in one transaction.")
        private boolean apply;

        @Override
        public Integer call() throws SQLException {
            String sql = Schema.grants(role);
            if (apply) {
                database().look(connection -> {
                    connection.setAutoCommit(false);
                    try (Statement statement = connection.createStatement()) {
                        statement.execute(sql);
                    }
                    connection.commit();
                    return sql;
                });
            }
            out().print(sql);
            out().println(apply ? "-- applied" : "-- not applied: add --apply, or run it as the tables' owner");
            return Commands.DONE;
        }
    }
}
