package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.consume.Consumers;
import dev.hapax.consume.Consumers.Consequences;
import dev.hapax.consume.Move;
import dev.hapax.consume.Start;
import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.kafka.KafkaPlaces;
import dev.hapax.server.command.SourceTable.Partition;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a consumer go on elsewhere. */
abstract class MoveCommand extends DatabaseCommand {

    private static final Listing<Move.Step> STEPS = new Listing<Move.Step>()
            .text("PLACE", "place", Move.Step::place)
            .number("FROM", "from", Move.Step::from)
            .number("TO", "to", Move.Step::to)
            .number("READ AGAIN", "readAgain", Move.Step::readAgain)
            .number("PASSED OVER", "passedOver", Move.Step::skipped)
            .number("HELD", "held", Move.Step::held);

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec own;

    @Parameters(paramLabel = "NAME", description = "The consumer.")
    private String name = "";

    @Option(names = "--topic", paramLabel = "TOPIC", description = "This topic of Kafka alone. Default: all.")
    private @Nullable String topic;

    @Option(names = "--partition", paramLabel = "N", description = "This partition alone, with --topic. Default: all.")
    private @Nullable Integer partition;

    @Option(names = "--yes", description = "Do it.")
    boolean yes;

    @ArgGroup(exclusive = false, order = 5, heading = "%nKafka, for a consumer of topics:%n")
    private KafkaOptions kafka = new KafkaOptions();

    /** Where to: a place that has a name or a time, or an offset. */
    private sealed interface Goal {

        record Named(Start start) implements Goal {}

        record Offset(long offset) implements Goal {}
    }

    /** The move, from a preview to the end. */
    private interface Mover {
        Move move(Consequences consequences);
    }

    /** Whether a move may be made without a word, by what it brings with it. */
    abstract boolean isAllowed(Move move);

    /** Whether positions move backwards alone. */
    abstract boolean isBackOnly();

    final int move(String option, String where) throws SQLException {
        Goal goal = goal(option, where);
        if (partition != null && topic == null) {
            throw misuse("--partition needs --topic");
        }
        Database database = database();
        ConsumerOverview consumer = ConsumerCommand.find(database, name);
        try (Hapax hapax = database.open()) {
            Consumers consumers = hapax.consumers();
            return consumer.partitions().isEmpty()
                    ? moveLanes(consumers, option, goal)
                    : movePartitions(consumers, option, goal, consumer.partitions());
        }
    }

    private Goal goal(String option, String where) {
        if (where.equals("beginning")) {
            return new Goal.Named(Start.BEGINNING);
        }
        if (where.equals("end")) {
            return new Goal.Named(Start.NOW);
        }
        try {
            return where.matches("\\d{1,18}")
                    ? new Goal.Offset(Long.parseLong(where))
                    : new Goal.Named(Start.at(OffsetDateTime.parse(where).toInstant()));
        } catch (DateTimeException e) {
            throw misuse(
                    option + " is beginning, end, an offset, or a time such as 2026-03-01T12:00:00Z; it was " + where);
        }
    }

    private int moveLanes(Consumers consumers, String option, Goal goal) {
        if (topic != null || kafka.isGiven()) {
            throw misuse("consumer " + name + " reads the log: it has no topics of Kafka");
        }
        if (!(goal instanceof Goal.Named named)) {
            throw misuse("consumer " + name + " reads the log, whose lanes have numbers of their own; give a time to "
                    + option);
        }
        return move(consequences -> (isBackOnly()
                        ? consumers.replay(name, named.start(), consequences)
                        : consumers.seek(name, named.start(), consequences))
                .orElseThrow(() -> ConsumerCommand.unknown(name)));
    }

    private int movePartitions(Consumers consumers, String option, Goal goal, List<Partition> all) {
        List<SourcePartition> wanted = all.stream()
                .map(Partition::name)
                .filter(one -> topic == null || one.topic().equals(topic))
                .filter(one -> partition == null || one.partition() == partition)
                .toList();
        if (wanted.isEmpty()) {
            throw new Problem("consumer " + name + " has no position there; ./hapax consumer lag " + name
                    + " shows those that it has");
        }
        KafkaPlaces.Found found = found(option, goal, wanted);
        return move(consequences -> (isBackOnly()
                        ? consumers.replay(name, found.numbers(), found.topics(), consequences)
                        : consumers.seek(name, found.numbers(), found.topics(), consequences))
                .orElseThrow(() -> ConsumerCommand.unknown(name)));
    }

    private KafkaPlaces.Found found(String option, Goal goal, List<SourcePartition> wanted) {
        Map<SourcePartition, Long> offsets = new TreeMap<>();
        if (goal instanceof Goal.Offset at) {
            if (wanted.size() > 1) {
                throw misuse("an offset is one partition's: give --topic and --partition");
            }
            offsets.put(wanted.getFirst(), at.offset());
            if (!kafka.isGiven()) {
                return new KafkaPlaces.Found(offsets, Map.of());
            }
        }
        if (!kafka.isGiven()) {
            throw misuse("where that is only Kafka knows: give --kafka HOST:PORT, or an offset to " + option);
        }
        try (KafkaPlaces places = kafka.places(own)) {
            return goal instanceof Goal.Named named ? places.find(wanted, named.start()) : places.check(offsets);
        } catch (SourceException | IllegalArgumentException e) {
            throw new Problem(String.valueOf(e.getMessage()));
        }
    }

    private int move(Mover mover) {
        Move preview = mover.move(Consequences.PREVIEW);
        if (preview.steps().isEmpty()) {
            out().println("consumer " + name + " is there already; nothing was changed");
            return Commands.DONE;
        }
        STEPS.table(out(), preview.steps(), "");
        out().println(told(preview));
        if (!yes && !isAllowed(preview)) {
            throw misuse("nothing was changed; add --yes to do it");
        }
        Move done = mover.move(yes ? Consequences.ACCEPT : Consequences.REFUSE);
        out().println("consumer " + name + " goes on there ("
                + Words.count(done.steps().size(), "position") + " moved)");
        return Commands.DONE;
    }

    private static String told(Move move) {
        StringBuilder text = new StringBuilder();
        if (move.readAgain() > 0) {
            text.append("up to ")
                    .append(Words.count(move.readAgain(), "message"))
                    .append(" would be read again, ");
            text.append(
                    move.deduplicates()
                            ? "and not applied again: the consumer knows their keys"
                            : "and APPLIED AGAIN: the consumer tells repeats by position alone");
        }
        if (move.skipped() > 0) {
            text.append(text.isEmpty() ? "" : "; ")
                    .append("up to ")
                    .append(Words.count(move.skipped(), "message"))
                    .append(" would NEVER be applied");
        }
        return text.isEmpty() ? "no message would be applied twice, or never" : text.toString();
    }

    /** To anywhere. */
    @Command(
            name = "seek",
            description = {
                "Makes a consumer go on elsewhere, whether it runs or not: what it has in flight is rolled back, and it goes on there within seconds.",
                "",
                "Prints what would move, how much would be read again and how much passed over, and does it with --yes. What was set aside and is read again is no longer held (HELD). "
                        + "beginning, end and times of a topic are asked of --kafka, and an offset is checked there. A consumer of the log moves in all its lanes, to beginning, end or a time."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax consumer seek billing --topic orders.placed --partition 0 --to 4711 --kafka broker:9092 --yes"
            })
    static final class Seek extends MoveCommand {

        @Option(
                names = "--to",
                required = true,
                paramLabel = "WHERE",
                description = "beginning, end, an offset, or a time such as 2026-03-01T12:00:00Z.")
        private String to = "";

        @Override
        boolean isAllowed(Move move) {
            return false;
        }

        @Override
        boolean isBackOnly() {
            return false;
        }

        @Override
        public Integer call() throws SQLException {
            return move("--to", to);
        }
    }

    /** Backwards. */
    @Command(
            name = "replay",
            description = {
                "Has a consumer read again what it has done, from a place on, whether it runs or not. Positions that lie before that place stay; nothing is passed over.",
                "",
                "A consumer that deduplicates by key applies nothing again: it finds what is missing, and passes over the rest. One that tells repeats by position alone would apply all of it "
                        + "again; the command says so, and does it only with --yes."
            },
            footer = {
                "",
                "Example:",
                "  ./hapax consumer replay billing --from 2026-03-01T12:00:00Z --kafka broker:9092"
            })
    static final class Replay extends MoveCommand {

        @Option(
                names = "--from",
                required = true,
                paramLabel = "WHERE",
                description = "beginning, an offset, or a time such as 2026-03-01T12:00:00Z.")
        private String from = "";

        @Override
        boolean isAllowed(Move move) {
            return move.isHarmless();
        }

        @Override
        boolean isBackOnly() {
            return true;
        }

        @Override
        public Integer call() throws SQLException {
            return move("--from", from);
        }
    }
}
