package dev.hapax.server.command;

import dev.hapax.control.Control.Kind;
import dev.hapax.control.Control.Paused;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** Reads {@code hapax.paused}, also for a role that may change nothing. */
final class PausedTable {

    private PausedTable() {}

    /** Oldest first. */
    static List<Paused> list(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT kind, name, reason, paused_by, paused_at FROM hapax.paused ORDER BY paused_at, kind, name");
                ResultSet row = select.executeQuery()) {
            List<Paused> paused = new ArrayList<>();
            while (row.next()) {
                paused.add(new Paused(
                        Kind.valueOf(row.getString(1)),
                        row.getString(2),
                        row.getString(3),
                        row.getString(4),
                        row.getObject(5, OffsetDateTime.class).toInstant()));
            }
            return paused;
        }
    }
}
