package dev.hapax.internal.saga;

import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;

/** What a saga was told from outside, and has not received yet. */
record Signal(UUID id, String name, Encoded value) {

    /** Marks it as received, in the transaction that records the wait. */
    static boolean taken(Connection connection, UUID saga, Signal signal) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.saga_signal SET taken = true WHERE saga = ? AND id = ? AND NOT taken")) {
            update.setObject(1, saga);
            update.setObject(2, signal.id());
            return update.executeUpdate() == 1;
        }
    }
}
