package dev.hapax.server.command;

import dev.hapax.consume.Quarantine.State;
import dev.hapax.control.Control;
import dev.hapax.control.Control.Kind;
import dev.hapax.control.Control.Paused;
import dev.hapax.server.command.HeldTable.Counts;
import dev.hapax.server.command.MemberTable.Member;
import dev.hapax.server.command.PositionTable.Lane;
import dev.hapax.server.command.SourceTable.Partition;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is stored of one consumer, over all its lanes, or all partitions of its source. */
record ConsumerOverview(
        String name,
        List<Lane> lanes,
        List<Partition> partitions,
        List<String> nodes,
        Counts held,
        @Nullable Paused paused) {

    /** All consumers, or one, by name. */
    static List<ConsumerOverview> read(Connection connection, @Nullable String wanted) throws SQLException {
        Map<String, List<Lane>> lanes =
                PositionTable.lanes(connection, wanted).stream().collect(Collectors.groupingBy(Lane::consumer));
        Map<String, List<Partition>> partitions =
                SourceTable.partitions(connection, wanted).stream().collect(Collectors.groupingBy(Partition::consumer));
        Set<String> names = new TreeSet<>(lanes.keySet());
        names.addAll(partitions.keySet());
        List<Member> members = MemberTable.present(connection);
        Map<String, Counts> held = HeldTable.counts(connection);
        List<Paused> paused = PausedTable.list(connection);
        List<ConsumerOverview> all = new ArrayList<>();
        names.forEach(name -> {
            List<Lane> positions = lanes.getOrDefault(name, List.of());
            Stream<String> present =
                    members.stream().filter(m -> m.consumer().equals(name)).map(Member::node);
            Stream<String> owners =
                    positions.stream().filter(Lane::isOwned).map(Lane::owner).filter(Objects::nonNull);
            Optional<Paused> pause = paused.stream()
                    .filter(p -> p.kind() == Kind.CONSUMER
                            && (p.name().equals(name) || p.name().equals(Control.ALL)))
                    .findFirst();
            all.add(new ConsumerOverview(
                    name,
                    positions,
                    partitions.getOrDefault(name, List.of()),
                    Stream.concat(present, owners).distinct().sorted().toList(),
                    held.getOrDefault(name, Counts.NONE),
                    pause.orElse(null)));
        });
        return all;
    }

    String source() {
        return partitions.isEmpty() ? "log" : "kafka";
    }

    String state() {
        if (paused != null) {
            return "paused";
        }
        boolean halted = partitions.stream().anyMatch(partition -> partition.stopped() != null);
        return halted ? "halted" : nodes.isEmpty() ? "stopped" : "running";
    }

    /** Lanes by their leases, partitions by who is there. */
    int owned() {
        return (int) (lanes.stream().filter(Lane::isOwned).count()
                + partitions.stream()
                        .map(Partition::owner)
                        .filter(owner -> owner != null && nodes.contains(owner))
                        .count());
    }

    /** The sum of the positions: it grows with all that is done. */
    long position() {
        return lanes.stream().mapToLong(Lane::low).sum()
                + partitions.stream().mapToLong(Partition::next).sum();
    }

    long behind() {
        return lanes.stream().mapToLong(Lane::behind).sum()
                + partitions.stream().mapToLong(Partition::behind).sum();
    }

    @Nullable
    Double oldest() {
        return lanes.stream()
                .map(Lane::oldest)
                .filter(Objects::nonNull)
                .max(Double::compare)
                .orElse(null);
    }

    /** The lease that ends first, in seconds from now; null if no lane is owned. */
    @Nullable
    Double lease() {
        return lanes.stream()
                .filter(Lane::isOwned)
                .map(Lane::lease)
                .filter(Objects::nonNull)
                .min(Double::compare)
                .orElse(null);
    }

    double moved() {
        return DoubleStream.concat(
                        lanes.stream().mapToDouble(Lane::moved),
                        partitions.stream().mapToDouble(Partition::moved))
                .min()
                .orElse(0);
    }

    long held(State state) {
        return held.of(state);
    }
}
