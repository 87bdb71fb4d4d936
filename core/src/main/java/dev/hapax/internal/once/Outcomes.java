package dev.hapax.internal.once;

import dev.hapax.DamagedException;
import dev.hapax.Key;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Days;
import dev.hapax.internal.Names;
import dev.hapax.internal.Partitions;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Answers, kept beside the markers for their own time. Safe for use by many threads. */
final class Outcomes {

    private final Codec codec;
    private final DatabaseClock clock;
    private final Partitions partitions;
    private final int bytesMax;

    Outcomes(Codec codec, DatabaseClock clock, Partitions partitions, int bytesMax) {
        this.codec = codec;
        this.clock = clock;
        this.partitions = partitions;
        this.bytesMax = bytesMax;
    }

    /** @throws IllegalArgumentException if the codec can't encode it, or it is too large */
    Encoded encode(Key key, Object value) {
        Encoded encoded = codec.encode(value);
        if (encoded.body().length > bytesMax) {
            throw new IllegalArgumentException("the answer of key " + key + " takes " + encoded.body().length
                    + " bytes; at most " + bytesMax + " are kept (payloadMax). Keep a reference to it instead");
        }
        return encoded;
    }

    void keep(Connection connection, Marker marker, Object value) throws SQLException {
        Encoded encoded = encode(marker.key(), value);
        Long day = day(marker);
        if (day == null) {
            return;
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO "
                + Partitions.table(marker.scope().outcomes(), day)
                + " (day, scope, producer, key, type, body) VALUES (DATE '" + Days.iso(day)
                + "', ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            int next = Markers.bind(insert, 1, marker);
            insert.setString(next, encoded.type());
            insert.setBytes(next + 1, encoded.body());
            insert.executeUpdate();
        }
    }

    /** The day under which the marker's answer is kept, whose partition is there; null if the key is inside the window of its marker, but older than answers are kept. */
    @Nullable
    Long day(Marker marker) throws SQLException {
        long age = marker.key()
                .time()
                .map(time -> clock.millis() - time.toEpochMilli())
                .orElse(0L);
        long day = marker.outcomeDay(clock.epochDay());
        return age <= marker.scope().outcomeMillis()
                        && partitions.ensure(marker.scope().outcomes(), day)
                ? (Long) day
                : null;
    }

    /** The kept answer; empty if none is kept (any more). */
    <T> Optional<T> find(Connection connection, Marker marker, Class<T> type) throws SQLException {
        return kept(connection, marker).map(answer -> decode(marker.key(), answer.type(), answer.body(), type));
    }

    /** As {@link #find}, as it is stored. An answer that isn't where the scope keeps answers now lies where it kept them under an earlier declaration, if at all. */
    Optional<Encoded> kept(Connection connection, Marker marker) throws SQLException {
        List<String> others = new ArrayList<>(Names.OUTCOMES);
        others.remove(marker.scope().outcomes());
        Optional<Encoded> here = kept(connection, marker, List.of(marker.scope().outcomes()));
        return here.isPresent() ? here : kept(connection, marker, others);
    }

    private Optional<Encoded> kept(Connection connection, Marker marker, List<String> trees) throws SQLException {
        // An answer of a timeless key lies under the day of its arrival, and counts from then on.
        String day = marker.isTimeless()
                ? ">= DATE '" + Days.iso(Days.of(clock.millis() - marker.scope().outcomeMillis()) - 1) + "'"
                : "= DATE '" + Days.iso(marker.day()) + "'";
        String query = trees.stream()
                .map(tree -> "SELECT type, body, kept_at FROM hapax." + tree
                        + " WHERE scope = ? AND producer = ? AND key = ? AND day " + day)
                .collect(Collectors.joining(" UNION ALL "));
        try (PreparedStatement select = connection.prepareStatement(query)) {
            int next = 1;
            for (int i = 0; i < trees.size(); i++) {
                next = Markers.bind(select, next, marker);
            }
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    if (!isOver(marker, row.getObject(3, OffsetDateTime.class))) {
                        return Optional.of(new Encoded(row.getString(1), row.getBytes(2)));
                    }
                }
                return Optional.empty();
            }
        }
    }

    /** Whole days are dropped later than a row's own time ends; what is told keeps to the time that the scope promises. */
    boolean isOver(Marker marker, OffsetDateTime keptAt) {
        long since = marker.key()
                .time()
                .map(time -> time.toEpochMilli())
                .orElse(keptAt.toInstant().toEpochMilli());
        return clock.millis() - since > marker.scope().outcomeMillis();
    }

    <T> T decode(Key key, String type, byte[] body, Class<T> wanted) {
        try {
            return codec.decode(type, body, wanted);
        } catch (IllegalArgumentException e) {
            throw new DamagedException(
                    "the operation " + key + " was applied, but its kept answer can't be read: " + e.getMessage(), e);
        }
    }
}
