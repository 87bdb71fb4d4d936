package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.consume.Quarantine;
import dev.hapax.consume.Quarantine.State;
import dev.hapax.server.command.HeldTable.Counts;
import dev.hapax.server.command.HeldTable.Held;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Messages that were set aside. */
@Command(
        name = "quarantine",
        description =
                "Messages that failed and were set aside for a person, wait for their next try, or wait behind those.",
        subcommands = {
            QuarantineCommand.ListSome.class,
            QuarantineCommand.Show.class,
            QuarantineCommand.Retry.class,
            QuarantineCommand.Discard.class
        },
        footer = {"", "Example:", "  ./hapax quarantine list billing"})
final class QuarantineCommand {

    static final Listing<Held> HELD = new Listing<Held>()
            .number("ID", "id", Held::id)
            .text("CONSUMER", "consumer", Held::consumer)
            .aside()
            .text("STATE", "state", h -> h.state().name())
            .number("TRIES", "attempts", Held::attempts)
            .instant("HELD AT", "heldAt", Held::heldAt)
            .instant("NEXT TRY", "nextAt", h -> h.state() == State.RETRY ? h.nextAt() : null)
            .aside()
            .text("TOPIC", "topic", Held::topic)
            .text("MESSAGE KEY", "messageKey", Held::messageKey)
            .text("TYPE", "type", Held::type)
            .aside()
            .text("OPERATION", "operation", Held::operation)
            .text("MESSAGE ID", "messageId", Held::messageId)
            .aside()
            .number("LANE", "lane", Held::lane)
            .aside()
            .number("NUMBER", "number", Held::number)
            .aside()
            .instant("PUBLISHED AT", "publishedAt", Held::publishedAt)
            .aside()
            .number("BYTES", "bytes", Held::bytes)
            .aside()
            .text("REASON", "reason", Held::reason);

    private QuarantineCommand() {}

    /** Lists them. */
    @Command(
            name = "list",
            description = "Lists what a consumer holds, oldest first, without payloads.",
            footer = {
                "",
                "Examples:",
                "  ./hapax quarantine list billing",
                "  ./hapax quarantine list billing --state retry,waiting --limit 500 --json"
            })
    static final class ListSome extends DatabaseCommand {

        private static final int LIMIT_MAX = 10_000;

        @Parameters(paramLabel = "CONSUMER", description = "Whose.")
        private String consumer = "";

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                description =
                        "Only those in these states: quarantined (set aside for a person; the default), retry (tried again at its time), "
                                + "waiting (behind an earlier message of its key).")
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
        public Integer call() throws SQLException {
            if (limit < 1 || limit > LIMIT_MAX) {
                throw misuse("--limit must be between 1 and " + LIMIT_MAX + "; it was " + limit);
            }
            Set<State> wanted = states.isEmpty() ? EnumSet.of(State.QUARANTINED) : EnumSet.copyOf(states);
            return database().look(connection -> {
                List<Held> held = HeldTable.list(connection, consumer, wanted, limit);
                if (held.isEmpty() && !PositionTable.isKnown(connection, consumer)) {
                    throw ConsumerCommand.unknown(consumer);
                }
                if (json) {
                    HELD.json(out(), held);
                } else {
                    Map<String, Counts> counts = HeldTable.counts(connection);
                    HELD.table(out(), held, "nothing is held in that state");
                    out().println();
                    out().println("consumer " + consumer + " holds: " + counts.getOrDefault(consumer, Counts.NONE)
                            + (held.size() == limit ? " (a list ends at --limit " + limit + ")" : ""));
                }
                return Commands.DONE;
            });
        }
    }

    /** Shows one. */
    @Command(
            name = "show",
            description =
                    "Shows one held message with its reason. Its payload may hold what not everybody should see: it is shown only if asked for.",
            footer = {"", "Examples:", "  ./hapax quarantine show 17", "  ./hapax quarantine show 17 --payload"})
    static final class Show extends DatabaseCommand {

        @Parameters(paramLabel = "ID", description = "As in the list.")
        private long id;

        @Option(
                names = "--payload",
                description = "Also its payload: as text if it is UTF-8 without control characters, else in base64.")
        private boolean payload;

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            return database().look(connection -> {
                Held held =
                        HeldTable.find(connection, id).orElseThrow(() -> new Problem("there is no held message " + id));
                byte[] body = payload ? HeldTable.body(connection, id) : null;
                if (json) {
                    out().println(HELD.object(
                            held,
                            object -> body == null
                                    ? object
                                    : object.writeStringProperty(
                                            textOf(body) == null ? "payloadBase64" : "payload", shown(body))));
                } else {
                    HELD.card(out(), held);
                    if (body != null) {
                        out().println();
                        out().println(shown(body));
                    }
                }
                return Commands.DONE;
            });
        }

        private static String shown(byte[] body) {
            String text = textOf(body);
            return text == null ? Base64.getEncoder().encodeToString(body) : text;
        }

        private static @Nullable String textOf(byte[] body) {
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(body))
                        .toString();
                return text.codePoints()
                                .allMatch(c -> c == '\n' || c == '\r' || c == '\t' || !Character.isISOControl(c))
                        ? text
                        : null;
            } catch (CharacterCodingException binary) {
                return null;
            }
        }
    }

    /** Lets some be tried again. */
    @Command(
            name = "retry",
            description = {
                "Lets messages that were set aside be tried again, from their first try on. Those that wait behind them follow in order once they are done.",
                "",
                "Exit status 1 if one of them isn't set aside (any more)."
            },
            footer = {"", "Examples:", "  ./hapax quarantine retry 17 18", "  ./hapax quarantine retry --all billing"})
    static final class Retry extends DatabaseCommand {

        @Parameters(arity = "0..*", paramLabel = "ID", description = "As in the list.")
        private List<Long> ids = new ArrayList<>();

        @Option(names = "--all", paramLabel = "CONSUMER", description = "All that this consumer has set aside.")
        private @Nullable String all;

        @Override
        public Integer call() throws SQLException {
            String consumer = all;
            if (ids.isEmpty() == (consumer == null)) {
                throw misuse("give either IDs or --all CONSUMER");
            }
            Database database = database();
            try (Hapax hapax = database.open()) {
                if (consumer == null) {
                    return each(ids, hapax.quarantine()::retry, "will be tried again", "isn't set aside (any more)");
                }
                if (!database.look(connection -> PositionTable.isKnown(connection, consumer))) {
                    throw ConsumerCommand.unknown(consumer);
                }
                int retried = hapax.quarantine().retryAll(consumer);
                out().println(Words.count(retried, "message") + " of consumer " + consumer + " will be tried again");
                return Commands.DONE;
            }
        }

        private int each(List<Long> wanted, LongPredicate act, String done, String refused) {
            int status = Commands.DONE;
            for (long id : wanted) {
                boolean ok = act.test(id);
                out().println(id + " " + (ok ? done : refused));
                status = ok ? status : Commands.PROBLEM;
            }
            return status;
        }
    }

    /** Drops some. */
    @Command(
            name = "discard",
            description = {
                "Drops held messages for good; those that wait behind them go on. Their effects will be missing: say why. What is dropped is printed, without payload.",
                "",
                "More than one at once needs --yes. Exit status 1 if one of them isn't held (any more)."
            },
            footer = {
                "",
                "Examples:",
                "  ./hapax quarantine discard 17 --reason \"refunded by hand, ticket 4711\"",
                "  ./hapax quarantine discard 17 18 19 --reason \"test orders\" --yes"
            })
    static final class Discard extends DatabaseCommand {

        @Parameters(arity = "1..*", paramLabel = "ID", description = "As in the list.")
        private List<Long> ids = new ArrayList<>();

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description =
                        "Why their effects may be missing; kept with them in hapax.discarded, 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--yes", description = "Do it, for more than one.")
        private boolean yes;

        @Override
        public Integer call() throws SQLException {
            Database database = database();
            if (ids.size() > 1 && !yes) {
                throw misuse("that drops " + ids.size() + " messages for good; nothing was changed; add --yes");
            }
            int status = Commands.DONE;
            List<Held> gone = new ArrayList<>();
            try (Hapax hapax = database.open()) {
                Quarantine quarantine = hapax.quarantine();
                for (long id : ids) {
                    Optional<Held> held = database.look(connection -> HeldTable.find(connection, id));
                    if (held.isPresent() && quarantine.discard(id, reason)) {
                        gone.add(held.get());
                    } else {
                        err().println("hapax: " + id + " isn't held (any more)");
                        status = Commands.PROBLEM;
                    }
                }
            }
            HELD.table(out(), gone, "nothing was discarded");
            if (!gone.isEmpty()) {
                out().println();
                out().println(Words.count(gone.size(), "message") + " discarded: " + reason);
            }
            return status;
        }
    }
}
