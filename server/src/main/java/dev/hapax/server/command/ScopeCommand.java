package dev.hapax.server.command;

import dev.hapax.control.Control.Kind;
import dev.hapax.control.Control.Paused;
import dev.hapax.server.command.MarkerPartitions.Partition;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Scopes. */
@Command(
        name = "scope",
        description = "Scopes: who owns them, how long their keys are remembered, how many markers they have.",
        subcommands = {ScopeCommand.ListAll.class, ScopeCommand.Show.class},
        footer = {"", "Example:", "  ./hapax scope list"})
final class ScopeCommand {

    private record Row(ScopeTable.Scope scope, @Nullable Paused paused) {

        static List<Row> read(Connection connection, @Nullable String name) throws SQLException {
            List<Paused> paused = PausedTable.list(connection);
            List<Row> rows = new ArrayList<>();
            for (ScopeTable.Scope scope : ScopeTable.list(connection, name)) {
                rows.add(new Row(
                        scope,
                        paused.stream()
                                .filter(p -> p.kind() == Kind.SCOPE && p.name().equals(scope.name()))
                                .findFirst()
                                .orElse(null)));
            }
            return rows;
        }
    }

    private static final Listing<Row> SCOPES = new Listing<Row>()
            .text("SCOPE", "name", r -> r.scope().name())
            .text("OWNER", "owner", r -> r.scope().owner())
            .exactly("WINDOW", "windowSeconds", r -> r.scope().window())
            .exactly("ANSWERS KEPT", "outcomeSeconds", r -> r.scope().outcomes())
            .number("DROPPED AFTER DAYS", "markerDays", r -> r.scope().markerDays())
            .instant("DECLARED AT", "declaredAt", r -> r.scope().declaredAt())
            .text("RUNBOOK", "runbook", r -> r.scope().runbook())
            .aside()
            .text(
                    "PAUSED",
                    "pausedBecause",
                    r -> r.paused() == null
                            ? null
                            : r.paused().reason() + " (" + r.paused().by() + ")");

    private static final Listing<Partition> PARTITIONS = new Listing<Partition>()
            .text("TREE", "tree", Partition::tree)
            .text("DAY", "day", Partition::day)
            .number("ROWS", "rows", Partition::rows)
            .text("CERTAINTY", "certainty", p -> p.certainty().name().toLowerCase(Locale.ROOT))
            .bytes("SIZE OF ALL", "bytesOfAllScopes", Partition::bytes);

    private ScopeCommand() {}

    /** Lists them. */
    @Command(
            name = "list",
            description = "Lists all scopes that were declared or used on this database.",
            footer = {"", "Example:", "  ./hapax scope list --json"})
    static final class ListAll extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            List<Row> rows = database().look(connection -> Row.read(connection, null));
            if (json) {
                SCOPES.json(out(), rows);
            } else {
                SCOPES.table(out(), rows, "no scope has been used on this database yet");
            }
            return Commands.DONE;
        }
    }

    /** Shows one. */
    @Command(
            name = "show",
            description = {
                "Shows one scope, and how many markers and kept answers it has in each day's partition.",
                "",
                "Up to 10000 are counted, more are estimated from the database's statistics. A partition is shared by all scopes with a window of its class; SIZE OF ALL is theirs together."
            },
            footer = {"", "Example:", "  ./hapax scope show payments.charge"})
    static final class Show extends DatabaseCommand {

        @Parameters(paramLabel = "NAME", description = "The scope.")
        private String name = "";

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            return database().look(connection -> {
                Row row = Row.read(connection, name).stream()
                        .findFirst()
                        .orElseThrow(() -> new Problem(
                                "there is no scope " + name + " here; ./hapax scope list shows those that are"));
                List<Partition> partitions = MarkerPartitions.of(connection, row.scope());
                if (json) {
                    out().println(SCOPES.object(row, object -> {
                        object.writeName("partitions");
                        return PARTITIONS.array(object, partitions);
                    }));
                } else {
                    SCOPES.card(out(), row);
                    out().println();
                    PARTITIONS.table(out(), partitions, "no operation of it has been applied yet");
                }
                return Commands.DONE;
            });
        }
    }
}
