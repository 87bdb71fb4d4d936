package dev.hapax.internal.once;

import dev.hapax.internal.Checks;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The conditions of one call, as they are gathered. */
final class OnceSpec {

    private static final Duration WAIT_MAX = Duration.ofHours(1);

    /** 0: not at all. */
    int waitSeconds;

    byte @Nullable [] fingerprint;

    @Nullable
    Connection joined;

    OnceSpec(int waitSeconds) {
        this.waitSeconds = waitSeconds;
    }

    /** The bound of a wait, in whole seconds, rounded up: JDBC's time-outs know no less. */
    static int waitSeconds(Duration time) {
        Checks.duration("waitUpTo", time, Duration.ofSeconds(1), WAIT_MAX);
        return (int) time.plusMillis(999).toSeconds();
    }

    void join(Connection connection) {
        try {
            if (connection.getAutoCommit()) {
                throw new IllegalStateException(
                        "on(connection) joins a transaction, and this connection has none open: its auto-commit is on."
                                + " Call setAutoCommit(false) first, or leave on(…) out and let Hapax open the transaction");
            }
        } catch (SQLException e) {
            throw new IllegalStateException("the connection given to on(…) can't be used: " + e.getMessage(), e);
        }
        joined = connection;
    }
}
