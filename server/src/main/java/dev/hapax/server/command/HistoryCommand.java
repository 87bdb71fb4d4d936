package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.control.History.Accepted;
import dev.hapax.control.History.Rewind;
import java.sql.SQLException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Whether the database has gone back in time. */
@Command(
        name = "history",
        description = {
            "Shows whether the database has gone back in time (a restore, a failover that lost commits), and lets the readers go on.",
            "",
            "When a process finds that something is missing which it had seen, all consumers are paused until it is accepted."
        },
        subcommands = {HistoryCommand.Show.class, HistoryCommand.Accept.class},
        footer = {
            "",
            "Example:",
            "  ./hapax history accept --reason \"restored to 02:00; the web shop has sent its orders since then again\""
        })
final class HistoryCommand {

    private static final Listing<Rewind> REWINDS = new Listing<Rewind>()
            .number("REWIND", "rewind", Rewind::id)
            .instant("FOUND", "foundAt", Rewind::foundAt)
            .text("BY", "foundBy", Rewind::foundBy)
            .instant("LOST AFTER", "lostAfter", rewind -> rewind.lostAfter().orElse(null))
            .instant("UNTIL", "lostUntil", Rewind::lostUntil)
            .instant(
                    "ACCEPTED",
                    "acceptedAt",
                    rewind -> rewind.accepted().map(Accepted::at).orElse(null))
            .text(
                    "BY WHOM",
                    "acceptedBy",
                    rewind -> rewind.accepted().map(Accepted::by).orElse(null))
            .text(
                    "REASON",
                    "reason",
                    rewind -> rewind.accepted().map(Accepted::reason).orElse(null));

    private HistoryCommand() {}

    /** Lists what was found. */
    @Command(
            name = "show",
            description = {
                "Lists when the database was found to have gone back, the latest first, and which part of its history is missing.",
                "",
                "Exit status 1 if one waits to be accepted."
            },
            footer = {"", "Example:", "  ./hapax history show"})
    static final class Show extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            List<Rewind> rewinds = database().look(RewindTable::list);
            boolean waits =
                    rewinds.stream().anyMatch(rewind -> rewind.accepted().isEmpty());
            if (json) {
                REWINDS.json(out(), rewinds);
            } else {
                REWINDS.table(out(), rewinds, "the database has never been found to have gone back in time");
                if (waits) {
                    err().println(
                                    "hapax: all consumers are paused until this is dealt with: have what was committed in the lost time sent again,"
                                            + " then ./hapax history accept (docs/guides/restore.md)");
                }
            }
            return waits ? Commands.PROBLEM : Commands.DONE;
        }
    }

    /** The operator's word. */
    @Command(
            name = "accept",
            description = {
                "Says that what was lost is dealt with, and lets all consumers go on, in all processes, within a second.",
                "",
                "Exit status 1 if nothing waited for it."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax history accept --reason \"restored to 02:00; the web shop has sent its orders since then again\""
            })
    static final class Accept extends DatabaseCommand {

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "What was done about it, 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--by", paramLabel = "WHO", description = "Who says so. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                if (!hapax.history().accept(reason, by)) {
                    throw new Problem("nothing waits to be accepted; ./hapax history show lists what was found");
                }
            }
            out().println("accepted; all consumers go on");
            return Commands.DONE;
        }
    }
}
