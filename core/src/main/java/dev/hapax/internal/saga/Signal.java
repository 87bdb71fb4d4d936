package dev.hapax.internal.saga;

import dev.hapax.spi.Encoded;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a saga was told from outside, and has not received yet. What it carries is read when it is received. */
record Signal(UUID id, String name) {

    /**
     * Marks it as received, in the transaction that records the wait.
     *
     * @return what it carries; null if another owner has received it
     */
    static @Nullable Encoded take(Connection connection, UUID saga, Signal signal) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.saga_signal SET taken = true WHERE saga = ? AND id = ? AND NOT taken RETURNING type, body")) {
            update.setObject(1, saga);
            update.setObject(2, signal.id());
            try (ResultSet row = update.executeQuery()) {
                return row.next() ? SagaStore.encoded(row, 1) : null;
            }
        }
    }
}
