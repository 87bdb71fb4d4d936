package dev.hapax.internal.twophase;

import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.Days;
import dev.hapax.internal.Reasons;
import dev.hapax.internal.SqlFaults;
import dev.hapax.twophase.Participants.Branch;
import dev.hapax.twophase.Participants.State;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All SQL on branches that recovery could not end when it found them. Safe for use by many threads. */
final class BranchStore {

    private static final int LISTED_MAX = 1000;

    private final Connections connections;

    BranchStore(Connections connections) {
        this.connections = connections;
    }

    /**
     * What is stored of a branch.
     *
     * @param heuristic whether its participant has ended it on its own
     */
    record Stored(State state, boolean heuristic) {}

    Optional<Stored> find(BranchXid xid) throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT state, outcome IS NOT NULL FROM hapax.two_phase_branch WHERE token = ? AND participant = ?")) {
                select.setObject(1, xid.token());
                select.setString(2, xid.participant());
                try (ResultSet row = select.executeQuery()) {
                    return row.next()
                            ? Optional.of(new Stored(State.valueOf(row.getString(1)), row.getBoolean(2)))
                            : Optional.<Stored>empty();
                }
            }
        });
    }

    /** It could not be ended. */
    void failed(BranchXid xid, State state, @Nullable String outcome, String error) throws SQLException {
        connections.autoCommit(connection -> {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO hapax.two_phase_branch AS b"
                    + " (token, participant, day, scope, producer, state, outcome, error)"
                    + " VALUES (?, ?, CAST(? AS date), ?, ?, ?, ?, ?) ON CONFLICT (token, participant) DO UPDATE"
                    + " SET state = excluded.state, outcome = excluded.outcome, error = excluded.error, attempts = b.attempts + 1,"
                    + " tried_at = clock_timestamp() WHERE b.state IN (" + statesBefore(state) + ")")) {
                insert.setObject(1, xid.token());
                insert.setString(2, xid.participant());
                insert.setString(3, Days.iso(xid.day()));
                insert.setInt(4, xid.scope());
                insert.setInt(5, xid.producer());
                insert.setString(6, state.name());
                insert.setString(7, outcome);
                insert.setString(8, Reasons.cut(error));
                return insert.executeUpdate();
            }
        });
    }

    /** The tries whose branches in this participant are noted as still to be ended; a bounded number of them. */
    Set<UUID> waiting(String participant) throws SQLException {
        return connections.autoCommit(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT token FROM hapax.two_phase_branch"
                    + " WHERE participant = ? AND state IN ('COMMITTING', 'ROLLING_BACK') ORDER BY found_at LIMIT "
                    + LISTED_MAX)) {
                select.setString(1, participant);
                try (ResultSet row = select.executeQuery()) {
                    Set<UUID> tokens = new HashSet<>();
                    while (row.next()) {
                        tokens.add(row.getObject(1, UUID.class));
                    }
                    return tokens;
                }
            }
        });
    }

    /** It has ended as it was decided. */
    void ended(UUID token, String participant) throws SQLException {
        connections.autoCommit(connection -> {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM hapax.two_phase_branch WHERE token = ? AND participant = ?"
                            + " AND outcome IS NULL AND state <> 'CLOSED'")) {
                delete.setObject(1, token);
                delete.setString(2, participant);
                return delete.executeUpdate();
            }
        });
    }

    boolean close(UUID token, String participant, String reason, String by) {
        Checks.text("reason", reason, 1000);
        Checks.text("by", by, 200);
        try {
            return connections.autoCommit(connection -> {
                try (PreparedStatement update = connection.prepareStatement(
                        "UPDATE hapax.two_phase_branch SET state = 'CLOSED', closed_at = clock_timestamp(), closed_reason = ?, closed_by = ?"
                                + " WHERE token = ? AND participant = ? AND state IN (" + statesBefore(State.CLOSED)
                                + ")")) {
                    update.setString(1, reason);
                    update.setString(2, by);
                    update.setObject(3, token);
                    update.setString(4, participant);
                    return update.executeUpdate() == 1;
                }
            });
        } catch (SQLException e) {
            throw SqlFaults.translate("the branch could not be closed", e);
        }
    }

    List<Branch> list() {
        try {
            return connections.autoCommit(BranchStore::list);
        } catch (SQLException e) {
            throw SqlFaults.translate("branches can't be read", e);
        }
    }

    private static List<Branch> list(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT b.token, b.participant, b.state, s.name, d.key, b.outcome, b.attempts, b.error, b.found_at"
                                + " FROM hapax.two_phase_branch b LEFT JOIN hapax.scope s ON s.id = b.scope"
                                + " LEFT JOIN hapax.two_phase d ON d.token = b.token AND d.day = b.day"
                                + " WHERE b.state <> 'CLOSED' ORDER BY b.found_at, b.token, b.participant LIMIT "
                                + LISTED_MAX);
                ResultSet row = select.executeQuery()) {
            List<Branch> all = new ArrayList<>();
            while (row.next()) {
                String scope = row.getString(4);
                all.add(new Branch(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        State.valueOf(row.getString(3)),
                        scope == null ? "" : scope,
                        Optional.ofNullable(row.getString(5)),
                        Optional.ofNullable(row.getString(6)),
                        row.getInt(7),
                        row.getString(8),
                        row.getObject(9, OffsetDateTime.class).toInstant()));
            }
            return all;
        }
    }

    /** The states from which a branch can come into this one, for a statement. */
    private static String statesBefore(State next) {
        return Arrays.stream(State.values())
                .filter(state -> state.mayBecome(next))
                .map(state -> "'" + state + "'")
                .collect(Collectors.joining(", "));
    }
}
