package dev.hapax.internal;

import dev.hapax.control.Control;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/** Pauses, as rows. */
final class StoredControl implements Control {

    private final Connections connections;

    StoredControl(Connections connections) {
        this.connections = connections;
    }

    @Override
    public boolean pause(Kind kind, String name, String reason, String by) {
        Checks.name("name", name);
        Checks.text("reason", reason, 1000);
        Checks.text("by", by, 200);
        return change(
                "INSERT INTO hapax.paused (kind, name, reason, paused_by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                kind.name(),
                name,
                reason,
                by);
    }

    @Override
    public boolean resume(Kind kind, String name) {
        Checks.that(
                !name.equals(Pauses.ALL),
                "all consumers are paused because the database has gone back in time; ./hapax history accept lets them go on");
        return change("DELETE FROM hapax.paused WHERE kind = ? AND name = ?", kind.name(), name);
    }

    private boolean change(String sql, String... parameters) {
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    for (int i = 0; i < parameters.length; i++) {
                        statement.setString(i + 1, parameters[i]);
                    }
                    return statement.executeUpdate() == 1;
                }
            });
        } catch (SQLException e) {
            throw SqlFaults.translate("the pause could not be changed", e);
        }
    }

    @Override
    public List<Paused> list() {
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement select = connection.prepareStatement(
                                "SELECT kind, name, reason, paused_by, paused_at FROM hapax.paused ORDER BY paused_at");
                        ResultSet row = select.executeQuery()) {
                    List<Paused> all = new ArrayList<>();
                    while (row.next()) {
                        all.add(new Paused(
                                Kind.valueOf(row.getString(1)),
                                row.getString(2),
                                row.getString(3),
                                row.getString(4),
                                row.getObject(5, OffsetDateTime.class).toInstant()));
                    }
                    return all;
                }
            });
        } catch (SQLException e) {
            throw SqlFaults.translate("what is paused can't be read", e);
        }
    }
}
