package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.control.Control.Kind;
import dev.hapax.control.Control.Paused;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Pauses. */
@Command(
        name = "pause",
        description = "Stops a scope or a consumer in all processes, within a second, until it is resumed.",
        subcommands = {PauseCommand.OfScope.class, PauseCommand.OfConsumer.class, PauseCommand.ListAll.class},
        footer = {"", "Example:", "  ./hapax pause consumer billing --reason \"wrong prices, ticket 4711\""})
final class PauseCommand {

    private static final Listing<Paused> PAUSED = new Listing<Paused>()
            .text("KIND", "kind", p -> p.kind().name().toLowerCase(Locale.ROOT))
            .text("NAME", "name", Paused::name)
            .instant("SINCE", "since", Paused::since)
            .text("BY", "by", Paused::by)
            .text("REASON", "reason", Paused::reason);

    private PauseCommand() {}

    /** Pauses one of a kind. */
    abstract static class Pause extends DatabaseCommand {

        private final Kind kind;

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "For whoever finds it paused, 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--by", paramLabel = "WHO", description = "Who says so. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        Pause(Kind kind) {
            this.kind = kind;
        }

        final int pause(String name) throws SQLException {
            String what = kind.name().toLowerCase(Locale.ROOT) + " " + name;
            Database database = database();
            try (Hapax hapax = database.open()) {
                boolean isNew = hapax.control().pause(kind, name, reason, by);
                out().println(isNew ? what + " is paused" : what + " was paused already; ./hapax pause list says why");
            }
            boolean known = database.look(connection -> kind == Kind.SCOPE
                    ? !ScopeTable.list(connection, name).isEmpty()
                    : PositionTable.isKnown(connection, name));
            if (!known) {
                err().println("hapax: note that there is no " + what
                        + " here yet; look whether the name is right (it is paused from its first use on)");
            }
            return Commands.DONE;
        }
    }

    /** Pauses a scope. */
    @Command(
            name = "scope",
            description =
                    "Pauses a scope: its operations are refused and their callers told to come back; nothing is applied.",
            footer = {"", "Example:", "  ./hapax pause scope payments.charge --reason \"provider is down\""})
    static final class OfScope extends Pause {

        @Parameters(paramLabel = "NAME", description = "The scope.")
        private String name = "";

        OfScope() {
            super(Kind.SCOPE);
        }

        @Override
        public Integer call() throws SQLException {
            return pause(name);
        }
    }

    /** Pauses a consumer. */
    @Command(
            name = "consumer",
            description =
                    "Pauses a consumer: it takes no new messages; a batch in flight ends. Its messages wait in the log.",
            footer = {"", "Example:", "  ./hapax pause consumer billing --reason \"wrong prices, ticket 4711\""})
    static final class OfConsumer extends Pause {

        @Parameters(paramLabel = "NAME", description = "The consumer.")
        private String name = "";

        OfConsumer() {
            super(Kind.CONSUMER);
        }

        @Override
        public Integer call() throws SQLException {
            return pause(name);
        }
    }

    /** Lists what is paused. */
    @Command(
            name = "list",
            description = "Lists all that is paused, with reason and since when, oldest first.",
            footer = {"", "Example:", "  ./hapax pause list"})
    static final class ListAll extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            List<Paused> paused = database().look(PausedTable::list);
            if (json) {
                PAUSED.json(out(), paused);
            } else {
                PAUSED.table(out(), paused, "nothing is paused");
            }
            return Commands.DONE;
        }
    }
}
