package dev.hapax.server.command;

import dev.hapax.consume.source.SourceException;
import dev.hapax.consume.source.SourcePartition;
import dev.hapax.kafka.KafkaPlaces;
import dev.hapax.server.command.SourceTable.Partition;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** How far one consumer is behind. */
@Command(
        name = "lag",
        description = {
            "Shows how far a consumer is behind, by partition of its topics or by lane of the log.",
            "",
            "For a consumer of Kafka, END is the end of the partition as a reader last saw it; with --kafka, as the broker says it now (committed records). STOPPED says why a partition "
                    + "is not read until somebody says where to go on: ./hapax consumer seek."
        },
        footer = {"", "Example:", "  ./hapax consumer lag billing --kafka broker:9092"})
final class LagCommand extends DatabaseCommand {

    static final Listing<Partition> PARTITIONS = new Listing<Partition>()
            .text("TOPIC", "topic", Partition::topic)
            .number("PARTITION", "partition", Partition::partition)
            .number("POSITION", "position", Partition::next)
            .number("END", "end", Partition::end)
            .number("LAG", "lagMessages", Partition::behind)
            .about("MOVED", "movedSecondsAgo", Partition::moved)
            .number("DEATHS", "deaths", Partition::deaths)
            .text("OWNER", "owner", Partition::owner)
            .text("STOPPED", "stopped", Partition::stopped);

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec own;

    @Parameters(paramLabel = "NAME", description = "The consumer.")
    private String name = "";

    @Option(names = "--json", description = "Print a JSON array instead of a table.")
    private boolean json;

    @ArgGroup(exclusive = false, order = 5, heading = "%nKafka:%n")
    private KafkaOptions kafka = new KafkaOptions();

    @Override
    public Integer call() throws SQLException {
        ConsumerOverview consumer = ConsumerCommand.find(database(), name);
        if (consumer.partitions().isEmpty()) {
            show(ConsumerCommand.LANES, consumer.lanes());
        } else {
            show(PARTITIONS, kafka.isGiven() ? asked(consumer.partitions()) : consumer.partitions());
        }
        return Commands.DONE;
    }

    private <T> void show(Listing<T> listing, List<T> rows) {
        if (json) {
            listing.json(out(), rows);
        } else {
            listing.table(out(), rows, "it has no positions");
        }
    }

    private List<Partition> asked(List<Partition> partitions) {
        try (KafkaPlaces places = kafka.places(own)) {
            Map<SourcePartition, KafkaPlaces.Range> ranges =
                    places.ranges(partitions.stream().map(Partition::name).toList());
            return partitions.stream().map(one -> asked(one, ranges)).toList();
        } catch (SourceException e) {
            throw new Problem(String.valueOf(e.getMessage()));
        }
    }

    private static Partition asked(Partition one, Map<SourcePartition, KafkaPlaces.Range> ranges) {
        KafkaPlaces.Range range = ranges.get(one.name());
        return range == null ? one : one.endingAt(range.end());
    }
}
