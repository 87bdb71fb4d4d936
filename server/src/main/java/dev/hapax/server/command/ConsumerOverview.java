package dev.hapax.server.command;

import dev.hapax.consume.Quarantine.State;
import dev.hapax.control.Control;
import dev.hapax.control.Control.Kind;
import dev.hapax.control.Control.Paused;
import dev.hapax.server.command.HeldTable.Counts;
import dev.hapax.server.command.MemberTable.Member;
import dev.hapax.server.command.PositionTable.Lane;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is stored of one consumer, over all its lanes. */
record ConsumerOverview(
        String name,
        List<Lane> lanes,
        List<String> nodes,
        Counts held,
        @Nullable Paused paused) {

    /** All consumers, or one, by name. */
    static List<ConsumerOverview> read(Connection connection, @Nullable String wanted) throws SQLException {
        Map<String, List<Lane>> lanes = new LinkedHashMap<>();
        for (Lane lane : PositionTable.lanes(connection, wanted)) {
            lanes.computeIfAbsent(lane.consumer(), c -> new ArrayList<>()).add(lane);
        }
        List<Member> members = MemberTable.present(connection);
        Map<String, Counts> held = HeldTable.counts(connection);
        List<Paused> paused = PausedTable.list(connection);
        List<ConsumerOverview> all = new ArrayList<>();
        lanes.forEach((name, positions) -> {
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
                    Stream.concat(present, owners).distinct().sorted().toList(),
                    held.getOrDefault(name, Counts.NONE),
                    pause.orElse(null)));
        });
        return all;
    }

    String state() {
        return paused != null ? "paused" : nodes.isEmpty() ? "stopped" : "running";
    }

    int owned() {
        return (int) lanes.stream().filter(Lane::isOwned).count();
    }

    /** The sum of the positions: it grows with all that is done. */
    long position() {
        return lanes.stream().mapToLong(Lane::low).sum();
    }

    long behind() {
        return lanes.stream().mapToLong(Lane::behind).sum();
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
        return lanes.stream().mapToDouble(Lane::moved).min().orElse(0);
    }

    long held(State state) {
        return held.of(state);
    }
}
