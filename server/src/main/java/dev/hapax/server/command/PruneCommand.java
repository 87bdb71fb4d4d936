package dev.hapax.server.command;

import dev.hapax.server.command.PrunedTable.Pruned;
import java.sql.SQLException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What was dropped. */
@Command(
        name = "prune",
        description = "Days of markers, kept answers and log that were dropped behind their retention.",
        subcommands = PruneCommand.ListAll.class,
        footer = {"", "Example:", "  ./hapax prune list"})
final class PruneCommand {

    private static final Listing<Pruned> PRUNED = new Listing<Pruned>()
            .text("TREE", "tree", Pruned::tree)
            .text("DAY", "day", Pruned::day)
            .number("ROWS ABOUT", "rowsAbout", Pruned::rowsAbout)
            .bytes("SIZE", "bytes", Pruned::bytes)
            .instant("DROPPED AT", "droppedAt", Pruned::droppedAt)
            .text("BY", "droppedBy", Pruned::droppedBy);

    private PruneCommand() {}

    /** Lists them. */
    @Command(
            name = "list",
            description =
                    "Lists the days that were dropped, latest first. Their keys can't be applied again: they are too late.",
            footer = {"", "Example:", "  ./hapax prune list --limit 20"})
    static final class ListAll extends DatabaseCommand {

        private static final int LIMIT_MAX = 100_000;

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "100",
                description = "At most so many, 1 to 100000; default 100.")
        private int limit;

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            if (limit < 1 || limit > LIMIT_MAX) {
                throw misuse("--limit must be between 1 and " + LIMIT_MAX + "; it was " + limit);
            }
            List<Pruned> days = database().look(connection -> PrunedTable.list(connection, limit));
            if (json) {
                PRUNED.json(out(), days);
            } else {
                PRUNED.table(out(), days, "no day has been dropped yet");
            }
            return Commands.DONE;
        }
    }
}
