package dev.hapax.server.command;

import dev.hapax.control.History.Accepted;
import dev.hapax.control.History.Rewind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads {@code hapax.rewind}, also for a role that may change nothing. */
final class RewindTable {

    private RewindTable() {}

    /** The one that waits, then the latest first. */
    static List<Rewind> list(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT id, found_at, found_by, last_at, missing_at, accepted_at, accepted_by, reason"
                                + " FROM hapax.rewind ORDER BY accepted_at IS NOT NULL, id DESC LIMIT 100");
                ResultSet row = select.executeQuery()) {
            List<Rewind> rewinds = new ArrayList<>();
            while (row.next()) {
                Instant acceptedAt = instant(row, 6);
                rewinds.add(new Rewind(
                        row.getLong(1),
                        row.getObject(2, OffsetDateTime.class).toInstant(),
                        row.getString(3),
                        Optional.ofNullable(instant(row, 4)),
                        row.getObject(5, OffsetDateTime.class).toInstant(),
                        acceptedAt == null
                                ? Optional.empty()
                                : Optional.of(new Accepted(acceptedAt, row.getString(7), row.getString(8)))));
            }
            return rewinds;
        }
    }

    private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
