package dev.hapax.server.command;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads {@code hapax.relay}, also for a role that may change nothing. */
final class RelayTable {

    private static final String SQL = """
            SELECT r.name, r.mode, r.topic, r.cluster, count(b.id), count(b.id) FILTER (WHERE b.decision IS NULL), min(b.found_at),
                   coalesce(array_agg(format('lane %s: %s to %s', b.lane, b.after_number + 1, b.until_number) ORDER BY b.lane) FILTER (WHERE b.id IS NOT NULL), '{}')
            FROM hapax.relay r LEFT JOIN hapax.relay_break b ON b.relay = r.name AND b.done_at IS NULL
            GROUP BY r.name ORDER BY r.name""";

    private RelayTable() {}

    /**
     * A relay.
     *
     * @param ranges numbers in doubt, lane by lane
     * @param since when the first of them was found; null if none is
     */
    record Relay(
            String name,
            String mode,
            String state,
            List<String> ranges,
            @Nullable Instant since,
            @Nullable String topic,
            @Nullable String cluster) {}

    static List<Relay> list(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(SQL);
                ResultSet row = select.executeQuery()) {
            List<Relay> all = new ArrayList<>();
            while (row.next()) {
                String state = row.getInt(6) > 0 ? "halted" : row.getInt(5) > 0 ? "comparing" : "well";
                OffsetDateTime since = row.getObject(7, OffsetDateTime.class);
                all.add(new Relay(
                        row.getString(1),
                        row.getString(2),
                        state,
                        List.of((String[]) row.getArray(8).getArray()),
                        since == null ? null : since.toInstant(),
                        row.getString(3),
                        row.getString(4)));
            }
            return all;
        }
    }
}
