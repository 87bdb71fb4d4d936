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

/** Reads {@code hapax.scope}. */
final class ScopeTable {

    private ScopeTable() {}

    /**
     * A scope as it was declared, or first used.
     *
     * @param window seconds that a key is remembered after its own time
     * @param outcomes seconds that its answer is kept
     */
    record Scope(
            int id,
            String name,
            @Nullable String owner,
            @Nullable String runbook,
            int markerDays,
            long window,
            int outcomeDays,
            long outcomes,
            Instant declaredAt) {}

    static List<Scope> list(Connection connection, @Nullable String name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT id, name, owner, runbook, marker_days, window_seconds, outcome_days, outcome_seconds, declared_at"
                        + " FROM hapax.scope WHERE CAST(? AS text) IS NULL OR name = ? ORDER BY name")) {
            select.setString(1, name);
            select.setString(2, name);
            List<Scope> scopes = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    scopes.add(new Scope(
                            row.getInt(1),
                            row.getString(2),
                            row.getString(3),
                            row.getString(4),
                            row.getInt(5),
                            row.getLong(6),
                            row.getInt(7),
                            row.getLong(8),
                            row.getObject(9, OffsetDateTime.class).toInstant()));
                }
            }
            return scopes;
        }
    }
}
