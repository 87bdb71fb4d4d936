package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumers.Forgotten;
import dev.hapax.consume.Consumers.HeldMessages;
import dev.hapax.consume.Quarantine.State;
import dev.hapax.server.command.PositionTable.Lane;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Consumers of the log and of Kafka: how far they are, moving one, and forgetting one. */
@Command(
        name = "consumer",
        description =
                "Consumers of the log and of Kafka: how far they are, who runs them; make one go on elsewhere, or forget one that is no longer used.",
        subcommands = {
            ConsumerCommand.ListAll.class,
            ConsumerCommand.Show.class,
            LagCommand.class,
            MoveCommand.Seek.class,
            MoveCommand.Replay.class,
            ConsumerCommand.Forget.class
        },
        footer = {"", "Example:", "  ./hapax consumer list"})
final class ConsumerCommand {

    private static final Listing<ConsumerOverview> CONSUMERS = new Listing<ConsumerOverview>()
            .text("CONSUMER", "name", ConsumerOverview::name)
            .text("SOURCE", "source", ConsumerOverview::source)
            .text("STATE", "state", ConsumerOverview::state)
            .number("POSITION", "position", ConsumerOverview::position)
            .number("LAG", "lagMessages", ConsumerOverview::behind)
            .about("OLDEST", "lagSeconds", ConsumerOverview::oldest)
            .about("MOVED", "movedSecondsAgo", ConsumerOverview::moved)
            .number("LANES", "lanesOwned", ConsumerOverview::owned)
            .about("LEASE", "leaseSecondsLeft", ConsumerOverview::lease)
            .number("RETRY", "retry", c -> c.held(State.RETRY))
            .number("WAITING", "waiting", c -> c.held(State.WAITING))
            .number("QUARANTINED", "quarantined", c -> c.held(State.QUARANTINED))
            .text("NODES", "nodes", ConsumerOverview::nodes)
            .text(
                    "PAUSED",
                    "pausedBecause",
                    c -> c.paused() == null
                            ? null
                            : c.paused().reason() + " (" + c.paused().by() + ")")
            .aside();

    static final Listing<Lane> LANES = new Listing<Lane>()
            .number("LANE", "lane", Lane::lane)
            .number("LOW", "low", Lane::low)
            .number("HIGH", "high", Lane::high)
            .number("GAPS", "gaps", Lane::gaps)
            .number("LAG", "lagMessages", Lane::behind)
            .about("OLDEST", "lagSeconds", Lane::oldest)
            .about("MOVED", "movedSecondsAgo", Lane::moved)
            .number("DEATHS", "deaths", Lane::deaths)
            .about("LEASE", "leaseSecondsLeft", Lane::lease)
            .text("OWNER", "owner", Lane::owner);

    private ConsumerCommand() {}

    static ConsumerOverview find(Database database, String name) throws SQLException {
        return database.look(connection -> ConsumerOverview.read(connection, name)).stream()
                .findFirst()
                .orElseThrow(() -> unknown(name));
    }

    static Problem unknown(String consumer) {
        return new Problem("there is no consumer " + consumer + " here; ./hapax consumer list shows those that are");
    }

    /** Lists them. */
    @Command(
            name = "list",
            description = {
                "Lists all consumers, over all their lanes of the log or partitions of Kafka.",
                "",
                "STATE is halted if a partition is not read until somebody says where to go on: ./hapax consumer lag says why. POSITION is the sum of what its lanes or partitions have passed; "
                        + "LAG counts numbers that were drawn and not yet passed, of Kafka as a reader last saw it; OLDEST is how long the oldest unread message of the log waits; "
                        + "MOVED is when a position last moved; LANES counts lanes or partitions that are owned; LEASE is when the first of its leases ends, if it isn't renewed."
            },
            footer = {"", "Example:", "  ./hapax consumer list --url jdbc:postgresql://db/shop --user shop_operator"})
    static final class ListAll extends DatabaseCommand {

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            List<ConsumerOverview> all = database().look(connection -> ConsumerOverview.read(connection, null));
            if (json) {
                CONSUMERS.json(out(), all);
            } else {
                CONSUMERS.table(out(), all, "no consumer has been started on this database yet");
            }
            return Commands.DONE;
        }
    }

    /** Shows one, lane by lane. */
    @Command(
            name = "show",
            description = {
                "Shows one consumer, lane by lane or partition by partition.",
                "",
                "Of a lane all up to LOW is done; above it, up to HIGH, all but the GAPS, which are transactions that had not ended. DEATHS counts takeovers since the position last moved."
            },
            footer = {"", "Example:", "  ./hapax consumer show billing"})
    static final class Show extends DatabaseCommand {

        @Parameters(paramLabel = "NAME", description = "The consumer.")
        private String name = "";

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        @Override
        public Integer call() throws SQLException {
            ConsumerOverview consumer = find(database(), name);
            if (json) {
                out().println(CONSUMERS.object(consumer, object -> {
                    object.writeName("lanes");
                    LANES.array(object, consumer.lanes());
                    object.writeName("partitions");
                    return LagCommand.PARTITIONS.array(object, consumer.partitions());
                }));
            } else {
                CONSUMERS.card(out(), consumer);
                out().println();
                if (consumer.partitions().isEmpty()) {
                    LANES.table(out(), consumer.lanes(), "it has no lanes");
                } else {
                    LagCommand.PARTITIONS.table(out(), consumer.partitions(), "");
                }
            }
            return Commands.DONE;
        }
    }

    /** Forgets one. */
    @Command(
            name = "forget",
            description = {
                "Forgets a consumer that is no longer used: its positions, which keep days of the log from being dropped, and the messages that it holds.",
                "",
                "Without --yes it says what would be forgotten. A consumer that a process still runs is never forgotten: stop it first. Started again under this name it is a new "
                        + "consumer, which by default begins with the oldest message that is still there and applies it again."
            },
            footer = {"", "Example:", "  ./hapax consumer forget old-billing --yes"})
    static final class Forget extends DatabaseCommand {

        private static final int LOST_SHOWN_MAX = 1_000;

        @Parameters(paramLabel = "NAME", description = "The consumer.")
        private String name = "";

        @Option(names = "--yes", description = "Do it.")
        private boolean yes;

        @Option(
                names = "--force",
                description =
                        "Also if it holds messages that failed, were set aside or wait: they are printed, and lost.")
        private boolean force;

        @Override
        public Integer call() throws SQLException {
            Database database = database();
            ConsumerOverview consumer = find(database, name);
            long held = consumer.held().all();
            if (held > 0 && !force) {
                throw new Problem("consumer " + name + " holds " + Words.count(held, "message") + " (" + consumer.held()
                        + ") whose effects are missing; retry or discard them first, or lose them with --force");
            }
            if (!yes) {
                out().println("would forget consumer " + name + ": position " + consumer.position() + ", lag "
                        + consumer.behind() + ", " + Words.count(held, "held message") + " (" + consumer.held() + ")");
                throw misuse("nothing was changed; add --yes to forget it");
            }
            List<HeldTable.Held> lost = database.look(
                    connection -> HeldTable.list(connection, name, EnumSet.allOf(State.class), LOST_SHOWN_MAX));
            try (Hapax hapax = database.open()) {
                Optional<Forgotten> forgotten =
                        hapax.consumers().forget(name, force ? HeldMessages.LOSE : HeldMessages.KEEP);
                return told(forgotten.orElseThrow(() -> unknown(name)), lost);
            }
        }

        private int told(Forgotten forgotten, List<HeldTable.Held> lost) {
            if (!lost.isEmpty()) {
                out().println("lost, their effects are missing:");
                QuarantineCommand.HELD.table(out(), lost, "");
                if (forgotten.held() > lost.size()) {
                    out().println("and " + (forgotten.held() - lost.size()) + " more");
                }
            }
            out().println("forgot consumer " + name + ": " + Words.count(forgotten.lanes(), "position") + ", "
                    + Words.count(forgotten.held(), "held message"));
            return Commands.DONE;
        }
    }
}
