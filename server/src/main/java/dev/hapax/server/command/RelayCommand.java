package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.consume.Relays.Decision;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Relays of the log to a broker. */
@Command(
        name = "relay",
        description =
                "Relays of the log to a broker: where they keep their position, and how one goes on that has found another history of the log.",
        subcommands = {RelayCommand.ListAll.class, RelayCommand.Resume.class, RelayCommand.Forget.class},
        footer = {"", "Example:", "  ./hapax relay list"})
final class RelayCommand {

    private static final Listing<RelayTable.Relay> RELAYS = new Listing<RelayTable.Relay>()
            .text("RELAY", "name", RelayTable.Relay::name)
            .text("MODE", "mode", RelayTable.Relay::mode)
            .text("STATE", "state", RelayTable.Relay::state)
            .text("IN DOUBT", "inDoubt", RelayTable.Relay::ranges)
            .instant("SINCE", "since", RelayTable.Relay::since)
            .text("POSITION TOPIC", "positionTopic", RelayTable.Relay::topic)
            .text("CLUSTER", "cluster", RelayTable.Relay::cluster);

    private RelayCommand() {}

    /** Lists them. */
    @Command(
            name = "list",
            description = {
                "Lists all relays.",
                "",
                "STATE is halted if the log is not the one that a relay has published: a failover has lost commits, or a backup was restored. IN DOUBT names lanes and numbers. "
                        + "How far relays are, and who runs them, is in ./hapax consumer list."
            },
            footer = {"", "Example:", "  ./hapax relay list"})
    static final class ListAll extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws java.sql.SQLException {
            List<RelayTable.Relay> all = database().look(RelayTable::list);
            if (json) {
                RELAYS.json(out(), all);
            } else {
                RELAYS.table(out(), all, "no relay has been started on this database yet");
            }
            return Commands.DONE;
        }
    }

    /** Decides how one goes on. */
    @Command(
            name = "resume",
            description = {
                "Says how a relay goes on that has found another history of the log, in all lanes in which it has. It does so within seconds. Exit status 1 if there is nothing to decide.",
                "",
                "publish-missing: it reads the topics from the time of the doubtful range on, and publishes what this log has and they don't; no id is published twice. "
                        + "What the lost history had published stays there.",
                "",
                "skip: it goes on with what is published from now on. What this log has by now is never published by it."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax relay resume orders-relay --how publish-missing --reason \"failover at noon, ticket 4711\""
            })
    static final class Resume extends DatabaseCommand {

        @Parameters(paramLabel = "NAME", description = "The relay.")
        private String name = "";

        @Option(names = "--how", required = true, paramLabel = "HOW", description = "publish-missing or skip.")
        private String how = "";

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "For the record, 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--by", paramLabel = "WHO", description = "Who says so. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        @Override
        public Integer call() {
            Decision decision = switch (how) {
                case "publish-missing" -> Decision.PUBLISH_MISSING;
                case "skip" -> Decision.SKIP;
                default -> throw misuse("--how is publish-missing or skip, not \"" + how + "\"");
            };
            int lanes;
            try (Hapax hapax = database().open()) {
                lanes = hapax.relays().decide(name, decision, by, reason);
            }
            if (lanes == 0) {
                throw new Problem("relay " + name + " has nothing to decide; ./hapax relay list shows those that have");
            }
            out().println("relay " + name + " goes on (" + how + ") in " + lanes + (lanes == 1 ? " lane" : " lanes"));
            return Commands.DONE;
        }
    }

    /** Makes one forget where its position is. */
    @Command(
            name = "forget",
            description = {
                "Makes a relay forget in which topic it keeps its position, after that topic or its cluster was lost. It begins anew with the database's copy, or with what the topic has, whichever is further.",
                "",
                "The copy is up to a second old: what was published after it was written is published again. Says so, and does nothing, without --yes."
            },
            footer = {"", "Example:", "  ./hapax relay forget orders-relay --yes"})
    static final class Forget extends DatabaseCommand {

        @Parameters(paramLabel = "NAME", description = "The relay.")
        private String name = "";

        @Option(names = "--yes", description = "Do it.")
        private boolean yes;

        @Override
        public Integer call() {
            if (!yes) {
                throw new Problem(
                        "what relay " + name
                                + " has published since the database's copy of its position was written would be published again, under the same ids; add --yes to accept that");
            }
            try (Hapax hapax = database().open()) {
                if (!hapax.relays().forgetPosition(name)) {
                    throw new Problem("there is no relay " + name + " here; ./hapax relay list shows those that are");
                }
            }
            out().println("relay " + name + " has forgotten where its position was");
            return Commands.DONE;
        }
    }
}
