package dev.hapax.server.command;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** Reads {@code hapax.pruned}: which days were dropped. */
final class PrunedTable {

    private PrunedTable() {}

    /** A day that was dropped from a tree. */
    record Pruned(String tree, String day, long rowsAbout, long bytes, Instant droppedAt, String droppedBy) {}

    /** Latest first. */
    static List<Pruned> list(Connection connection, int limit) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT tree, CAST(day AS text), rows_about, bytes, dropped_at, dropped_by"
                        + " FROM hapax.pruned ORDER BY dropped_at DESC, tree, day DESC LIMIT ?")) {
            select.setInt(1, limit);
            List<Pruned> days = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    days.add(new Pruned(
                            row.getString(1),
                            row.getString(2),
                            row.getLong(3),
                            row.getLong(4),
                            row.getObject(5, OffsetDateTime.class).toInstant(),
                            row.getString(6)));
                }
            }
            return days;
        }
    }
}
