package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.twophase.Participants.Branch;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Branches that recovery could not end. */
@Command(
        name = "twophase",
        description = "Branches of two-phase commits that recovery could not end when it found them.",
        subcommands = {TwoPhaseCommand.ListAll.class, TwoPhaseCommand.Show.class, TwoPhaseCommand.Close.class},
        footer = {"", "Example:", "  ./hapax twophase list"})
final class TwoPhaseCommand {

    private static final Listing<Branch> BRANCHES = new Listing<Branch>()
            .text("TOKEN", "token", b -> b.token().toString())
            .text("PARTICIPANT", "participant", Branch::participant)
            .text("STATE", "state", b -> b.state().name().toLowerCase(Locale.ROOT))
            .text(
                    "OUTCOME",
                    "outcome",
                    b -> b.outcome()
                            .map(outcome -> outcome.toLowerCase(Locale.ROOT))
                            .orElse(null))
            .text("SCOPE", "scope", Branch::scope)
            .text("KEY", "key", b -> b.key().orElse(null))
            .number("TRIES", "attempts", Branch::attempts)
            .instant("SINCE", "foundAt", Branch::foundAt)
            .text("ERROR", "error", Branch::error)
            .aside();

    private TwoPhaseCommand() {}

    /** Lists them. */
    @Command(
            name = "list",
            description = {
                "Lists branches that were found prepared and could not be ended, oldest first, at most 1000.",
                "",
                "committing and rolling_back are tried again by every process that knows the participant. heuristic (the participant ended it in another way than was decided) and unknown (older than decisions are kept) wait for a person."
            },
            footer = {"", "Example:", "  ./hapax twophase list --json"})
    static final class ListAll extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                List<Branch> branches = hapax.participants().list();
                if (json) {
                    BRANCHES.json(out(), branches);
                } else {
                    BRANCHES.table(out(), branches, "no branch waits");
                }
            }
            return Commands.DONE;
        }
    }

    /** Shows those of one try. */
    @Command(
            name = "show",
            description = "Shows the waiting branches of one token, with what their participants said last.",
            footer = {"", "Example:", "  ./hapax twophase show 019dbe0c-5a55-7cd3-9a2e-3f6d5d1f9b11"})
    static final class Show extends DatabaseCommand {

        @Parameters(paramLabel = "TOKEN", description = "As twophase list shows it.")
        private UUID token = new UUID(0, 0);

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                List<Branch> branches = hapax.participants().list().stream()
                        .filter(branch -> branch.token().equals(token))
                        .toList();
                if (branches.isEmpty()) {
                    throw new Problem("no branch of " + token + " waits; ./hapax twophase list shows those that do");
                }
                branches.forEach(branch -> BRANCHES.card(out(), branch));
            }
            return Commands.DONE;
        }
    }

    /** Closes one. */
    @Command(
            name = "close",
            description = {
                "Notes that a person has dealt with a branch: it is listed no longer, and its row is kept.",
                "",
                "It ends nothing in the participant. Put its data right first."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax twophase close 019dbe0c-5a55-7cd3-9a2e-3f6d5d1f9b11 --participant ledger --reason \"booked by hand\""
            })
    static final class Close extends DatabaseCommand {

        @Parameters(paramLabel = "TOKEN", description = "As twophase list shows it.")
        private UUID token = new UUID(0, 0);

        @Option(names = "--participant", required = true, paramLabel = "NAME", description = "Where the branch is.")
        private String participant = "";

        @Option(names = "--reason", required = true, paramLabel = "TEXT", description = "Kept; 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--by", paramLabel = "WHO", description = "Who says so. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                if (!hapax.participants().close(token, participant, reason, by)) {
                    throw new Problem("no branch of " + token + " waits in " + participant
                            + "; ./hapax twophase list shows those that do");
                }
            }
            out().println("branch " + token + " in " + participant + " is closed");
            return Commands.DONE;
        }
    }
}
