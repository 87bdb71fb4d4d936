package dev.hapax.internal;

import dev.hapax.control.History;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Rewinds, as rows. */
final class StoredHistory implements History {

    private static final String LIST =
            "SELECT id, found_at, found_by, last_at, missing_at, accepted_at, accepted_by, reason FROM hapax.rewind"
                    + " ORDER BY accepted_at IS NOT NULL, id DESC LIMIT 100";

    /** In one statement, so that readers never go on without a word. */
    private static final String ACCEPT =
            "WITH accepted AS (UPDATE hapax.rewind SET accepted_at = clock_timestamp(), accepted_by = ?, reason = ?"
                    + " WHERE accepted_at IS NULL RETURNING id),"
                    + " resumed AS (DELETE FROM hapax.paused WHERE kind = 'CONSUMER' AND name = '" + Pauses.ALL
                    + "' AND EXISTS (SELECT FROM accepted))"
                    + " SELECT count(*) FROM accepted";

    private final Connections connections;

    StoredHistory(Connections connections) {
        this.connections = connections;
    }

    @Override
    public List<Rewind> rewinds() {
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement select = connection.prepareStatement(LIST);
                        ResultSet row = select.executeQuery()) {
                    List<Rewind> all = new ArrayList<>();
                    while (row.next()) {
                        all.add(read(row));
                    }
                    return all;
                }
            });
        } catch (SQLException e) {
            throw SqlFaults.translate("the history can't be read", e);
        }
    }

    private static Rewind read(ResultSet row) throws SQLException {
        Instant acceptedAt = instant(row, 6);
        return new Rewind(
                row.getLong(1),
                row.getObject(2, OffsetDateTime.class).toInstant(),
                row.getString(3),
                Optional.ofNullable(instant(row, 4)),
                row.getObject(5, OffsetDateTime.class).toInstant(),
                acceptedAt == null
                        ? Optional.empty()
                        : Optional.of(new Accepted(acceptedAt, row.getString(7), row.getString(8))));
    }

    private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    @Override
    public boolean accept(String reason, String by) {
        Checks.text("reason", reason, 1000);
        Checks.text("by", by, 200);
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement update = connection.prepareStatement(ACCEPT)) {
                    update.setString(1, by);
                    update.setString(2, reason);
                    try (ResultSet row = update.executeQuery()) {
                        row.next();
                        return row.getLong(1) > 0;
                    }
                }
            });
        } catch (SQLException e) {
            throw SqlFaults.translate("the rewind could not be accepted", e);
        }
    }
}
