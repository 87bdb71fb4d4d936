package dev.hapax.internal.consume;

import dev.hapax.internal.consume.LaneMark.Point;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Whether the log is still the one that a reader knew. Rows of the log are never changed and go only with their whole day, so a message that was seen stays at its number until its day is
 * dropped. If a failover loses commits, so does it lose the numbers drawn by them: they are drawn again, for other messages.
 *
 * <p>A number that has been drawn again is one whose commit was lost, and with it everything that was committed later. So the highest number that was seen tells: if its message is there, no number
 * below it was given to another message.
 */
final class LogHistory {

    private LogHistory() {}

    private record Place(int lane, long number) {}

    /** Compares the anchors with the log; says for each lane where it isn't the same. */
    static List<HistoryBreak> compare(Connection connection, Collection<LaneMark> marks) throws SQLException {
        List<LaneMark> anchored =
                marks.stream().filter(mark -> mark.anchor() != null).toList();
        Map<Place, UUID> found = idsAt(
                connection,
                anchored.stream().map(mark -> place(mark, mark.anchor())).toList());
        List<HistoryBreak> breaks = new ArrayList<>();
        LocalDate kept = null;
        for (LaneMark mark : anchored) {
            Point anchor = mark.anchor();
            UUID there = anchor == null ? null : found.get(place(mark, anchor));
            if (anchor == null || anchor.id().equals(there)) {
                continue;
            }
            if (there == null) {
                kept = kept == null ? keptSince(connection) : kept;
                // Its day may have been dropped: no reader needed it any more.
                if (!kept.isBefore(LocalDate.ofInstant(anchor.at(), ZoneOffset.UTC))
                        && LogReader.lastNumbers(connection)[mark.lane()] >= anchor.number()) {
                    continue;
                }
            }
            breaks.add(
                    new HistoryBreak(mark.lane(), lastCommon(connection, mark), anchor.number(), anchor.id(), there));
        }
        return breaks;
    }

    private static Place place(LaneMark mark, @Nullable Point point) {
        return new Place(mark.lane(), point == null ? 0 : point.number());
    }

    private static long lastCommon(Connection connection, LaneMark mark) throws SQLException {
        Map<Place, UUID> found = idsAt(
                connection,
                mark.trail().stream().map(point -> place(mark, point)).toList());
        return mark.trail().stream()
                .filter(point -> point.id().equals(found.get(place(mark, point))))
                .mapToLong(Point::number)
                .max()
                .orElse(0);
    }

    private static Map<Place, UUID> idsAt(Connection connection, List<Place> places) throws SQLException {
        Map<Place, UUID> ids = new HashMap<>();
        if (places.isEmpty()) {
            return ids;
        }
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT g.lane, g.number, g.id FROM unnest(CAST(? AS smallint[]), CAST(? AS bigint[])) AS p (lane, number)"
                        + " JOIN hapax.log g ON g.lane = p.lane AND g.number = p.number")) {
            select.setArray(
                    1,
                    connection.createArrayOf(
                            "int2", places.stream().map(p -> (short) p.lane()).toArray()));
            select.setArray(
                    2,
                    connection.createArrayOf(
                            "int8", places.stream().map(Place::number).toArray()));
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    ids.put(new Place(row.getInt(1), row.getLong(2)), row.getObject(3, UUID.class));
                }
            }
        }
        return ids;
    }

    /** Days before this one have been dropped. */
    private static LocalDate keptSince(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT CASE WHEN isfinite(dropped_before) THEN dropped_before ELSE DATE '0001-01-01' END"
                                + " FROM hapax.tree WHERE name = 'log'");
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getObject(1, LocalDate.class);
        }
    }
}
