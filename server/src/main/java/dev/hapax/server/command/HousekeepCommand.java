package dev.hapax.server.command;

import dev.hapax.Hapax;
import picocli.CommandLine.Command;

/** Keeps house. */
@Command(
        name = "housekeep",
        description = {
            "Does now what services do in the background: creates the partitions of the coming days, drops those behind their retention, moves delayed messages that are due.",
            "",
            "For a cron job, where services are opened with housekeeping(false). Doing it twice, or while others do it, does no harm."
        },
        footer = {"", "Example:", "  ./hapax housekeep --url jdbc:postgresql://db/shop --user shop_owner"})
final class HousekeepCommand extends DatabaseCommand {

    @Override
    public Integer call() {
        try (Hapax hapax = database().open()) {
            int things = hapax.housekeep();
            out().println(
                            things == 0
                                    ? "nothing to do"
                                    : Words.count(things, "thing")
                                            + " done: partitions created or dropped, messages moved");
        }
        return Commands.DONE;
    }
}
