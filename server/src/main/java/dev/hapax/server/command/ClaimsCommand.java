package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.claim.Claims;
import dev.hapax.claim.Claims.Claimed;
import dev.hapax.claim.Claims.Decided;
import dev.hapax.claim.Claims.Ruling;
import dev.hapax.claim.Claims.State;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Operations in systems that aren't ours. */
@Command(
        name = "claims",
        description = "Operations in systems that aren't ours, while they are in flight or in doubt.",
        subcommands = {
            ClaimsCommand.ListSome.class,
            ClaimsCommand.Show.class,
            ClaimsCommand.Settle.class,
            ClaimsCommand.Refuse.class,
            ClaimsCommand.Probe.class
        },
        footer = {"", "Example:", "  ./hapax claims list --state in_doubt"})
final class ClaimsCommand {

    private static final Listing<Claimed> CLAIMS = new Listing<Claimed>()
            .text("SCOPE", "scope", c -> c.key().scope())
            .text("ID", "id", c -> c.key().id())
            .text("PRODUCER", "producer", c -> c.key().producer().orElse(null))
            .text("STATE", "state", c -> c.state().name())
            .number("CALLS", "attempts", c -> c.progress().attempts())
            .instant("CLAIMED AT", "claimedAt", Claimed::claimedAt)
            .instant(
                    "IN DOUBT SINCE",
                    "doubtSince",
                    c -> c.progress().doubtSince().orElse(null))
            .about(
                    "OVERDUE",
                    "overdueSeconds",
                    c -> c.overdue().map(ClaimsCommand::seconds).orElse(null))
            .text(
                    "DECIDED",
                    "decided",
                    c -> c.progress().decided().map(Enum::name).orElse(null))
            .instant("KEY TIME", "keyTime", c -> c.key().time().orElse(null))
            .aside()
            .text("OWNER", "owner", c -> c.progress().owner().orElse(null))
            .aside()
            .text("GOES ON BY", "goesOnBy", c -> c.progress().stored() ? "a worker of its scope" : "its caller alone")
            .aside()
            .text("LAST ERROR", "lastError", c -> c.progress().lastError().orElse(null));

    private static final Listing<Decided> DECISIONS = new Listing<Decided>()
            .text("DECISION", "decision", d -> d.decision().name())
            .instant("AT", "at", Decided::at)
            .text("BY", "by", Decided::by)
            .text("REASON", "reason", Decided::reason);

    private ClaimsCommand() {}

    private static double seconds(Duration time) {
        return time.toMillis() / 1000.0;
    }

    /** Which one is meant. */
    static final class Which {

        @Parameters(index = "0", paramLabel = "SCOPE", description = "Its scope.")
        private String scope = "";

        @Parameters(index = "1", paramLabel = "ID", description = "Its id, as in the list.")
        private String id = "";

        @Option(
                names = "--producer",
                paramLabel = "NAME",
                description = "Who made the key. Needed only if two producers have used the same id.")
        private @Nullable String producer;

        /** The one in flight. */
        private Key key(Claims claims) {
            List<Claimed> found = claims.find(scope, id).stream()
                    .filter(c -> producer == null || c.key().producer().equals(java.util.Optional.of(producer)))
                    .toList();
            if (found.size() > 1) {
                throw new Problem("two producers have used that id; say which one by --producer");
            }
            if (found.isEmpty()) {
                throw new Problem("there is no operation " + scope + " " + id
                        + " in flight: it is settled, refused or given up, or never was");
            }
            return found.getFirst().key();
        }
    }

    /** Lists them. */
    @Command(
            name = "list",
            description = "Lists operations in flight, those in doubt first, oldest first.",
            footer = {
                "",
                "Examples:",
                "  ./hapax claims list",
                "  ./hapax claims list --scope payments.charge --state in_doubt --json"
            })
    static final class ListSome extends DatabaseCommand {

        private static final int LIMIT_MAX = 10_000;

        @Option(names = "--scope", paramLabel = "SCOPE", description = "Only those of this scope.")
        private @Nullable String scope;

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                description =
                        "Only those in these states: claimed (the intent is committed), in_doubt (called, and nobody knows how it ended). Default: both.")
        private List<State> states = new ArrayList<>();

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "50",
                description = "At most so many, 1 to 10000; default 50.")
        private int limit;

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() {
            if (limit < 1 || limit > LIMIT_MAX) {
                throw misuse("--limit must be between 1 and " + LIMIT_MAX + "; it was " + limit);
            }
            Set<State> wanted = states.isEmpty() ? EnumSet.allOf(State.class) : EnumSet.copyOf(states);
            try (Hapax hapax = database().open()) {
                Claims claims = hapax.claims();
                List<Claimed> found = scope == null ? claims.list(wanted, limit) : claims.list(scope, wanted, limit);
                if (json) {
                    CLAIMS.json(out(), found);
                } else {
                    CLAIMS.table(out(), found, "nothing is in flight in that state");
                }
                return Commands.DONE;
            }
        }
    }

    /** Shows one. */
    @Command(
            name = "show",
            description = "Shows one operation in flight, with what persons have decided of it.",
            footer = {"", "Example:", "  ./hapax claims show payments.charge 0199b4c2-6a00-7000-8000-0123456789ab"})
    static final class Show extends DatabaseCommand {

        @Mixin
        private Which which = new Which();

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                Claims claims = hapax.claims();
                Key key = which.key(claims);
                Claimed claimed = claims.find(key).orElseThrow(() -> new Problem("it has come to its end just now"));
                CLAIMS.card(out(), claimed);
                List<Decided> decided = claims.decisions(key);
                if (!decided.isEmpty()) {
                    out().println();
                    DECISIONS.table(out(), decided, "");
                }
                return Commands.DONE;
            }
        }
    }

    /** A person decides. */
    abstract static class Decide extends DatabaseCommand {

        @Mixin
        private Which which = new Which();

        @Option(names = "--by", paramLabel = "WHO", description = "Who says so. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        @Option(
                names = "--without-effects",
                description =
                        "Do it at once, and leave out the operation's effects in the service's own database. For operations whose code is gone.")
        private boolean withoutEffects;

        abstract String reason();

        /** Says it; false if it was said before. */
        abstract boolean decide(Claims claims, Key key, Ruling ruling);

        @Override
        public final Integer call() {
            try (Hapax hapax = database().open()) {
                Claims claims = hapax.claims();
                Key key = which.key(claims);
                Ruling ruling = Ruling.of(reason(), by);
                boolean changed = decide(claims, key, withoutEffects ? ruling.withoutEffects() : ruling);
                out().println(
                                !changed
                                        ? "nothing changed: the same was decided before"
                                        : withoutEffects
                                                ? "done"
                                                : "decided; a worker of its scope, or the next caller with its key, carries it out");
                return Commands.DONE;
            }
        }
    }

    /** It was done. */
    @Command(
            name = "settle",
            description = {
                "Decides that an operation in doubt was done, with this answer. A worker of its scope, or the next caller with its key, settles it with its effects, without calling.",
                "",
                "It is recorded. Saying the same again changes nothing; another answer or reason replaces what was said, until it is settled. Refused while a call runs."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax claims settle payments.charge A-17 --answer ch_77 --reason \"found in their portal, ticket 4711\""
            })
    static final class Settle extends Decide {

        @Option(
                names = "--answer",
                required = true,
                paramLabel = "TEXT",
                description =
                        "What the other system would have answered, as the service's codec stores it: a text, or JSON.")
        private String answer = "";

        @Option(
                names = "--type",
                paramLabel = "TYPE",
                defaultValue = "string",
                description = "The stored name of the answer's type, such as charge.v1; default string.")
        private String type = "";

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "How that is known, 1 to 1000 characters.")
        private String reason = "";

        @Override
        String reason() {
            return reason;
        }

        @Override
        boolean decide(Claims claims, Key key, Ruling ruling) {
            return claims.settle(key, type, answer.getBytes(StandardCharsets.UTF_8), ruling);
        }
    }

    /** It was not done. */
    @Command(
            name = "refuse",
            description = {
                "Decides that an operation was not done, and shall not be. Its repeats are told the reason.",
                "",
                "It is recorded. Saying the same again changes nothing; another reason replaces what was said, until it is settled. Refused while a call runs."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax claims refuse payments.charge A-17 --reason \"never arrived there, ticket 4711\""
            })
    static final class Refuse extends Decide {

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why; what repeats are told, 1 to 1000 characters.")
        private String reason = "";

        @Override
        String reason() {
            return reason;
        }

        @Override
        boolean decide(Claims claims, Key key, Ruling ruling) {
            return claims.refuse(key, ruling);
        }
    }

    /** Now. */
    @Command(
            name = "probe",
            description = {
                "Lets an operation be taken up now instead of at its time: a worker of its scope asks the other system, if that can be asked.",
                "",
                "Exit status 1 if somebody is at it, or if what it asks for is not stored: then its next caller takes it up, and no worker can."
            },
            footer = {"", "Example:", "  ./hapax claims probe payments.charge A-17"})
    static final class Probe extends DatabaseCommand {

        @Mixin
        private Which which = new Which();

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                Claims claims = hapax.claims();
                boolean done = claims.probe(which.key(claims));
                out().println(done ? "it is taken up now, by whoever runs its scope" : "somebody is at it");
                return done ? Commands.DONE : Commands.PROBLEM;
            }
        }
    }
}
