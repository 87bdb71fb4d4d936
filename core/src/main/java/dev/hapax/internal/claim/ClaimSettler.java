package dev.hapax.internal.claim;

import dev.hapax.FencedException;
import dev.hapax.Key;
import dev.hapax.claim.ClaimResult;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Metrics.Claiming;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Brings claims to their end: marker, outcome, local effects and messages in one commit, which also removes the claim. Safe for use by many threads.
 */
final class ClaimSettler {

    private final Settlements settlements;
    private final ClaimStore store;

    ClaimSettler(Settlements settlements, ClaimStore store) {
        this.settlements = settlements;
        this.store = store;
    }

    /**
     * Settles what is known.
     *
     * @param answer what {@code known} stands for, if it is at hand
     * @throws FencedException if the claim has another owner; nothing was written
     * @throws Settlements.WorkFailure if the local effects fail; nothing was written
     */
    <T> ClaimResult<T> settle(Held held, Known known, ClaimHandler<T> handler, @Nullable T answer) {
        // Whatever becomes of settling it, it is known from now on.
        held.known = known;
        T value = answer == null && known.answer() != null ? decode(held.key, known.answer(), handler.type()) : answer;
        AtomicBoolean unsure = new AtomicBoolean();
        boolean settled = settlements.retried(held.key, () -> {
            try {
                return once(held, known, handler, value);
            } catch (SQLException e) {
                if (SqlFaults.isUnreachable(e)) {
                    unsure.set(true);
                }
                if (SqlFaults.isUndefinedTable(e) && held.marker != null) {
                    settlements.forget(held.marker);
                    held.marker = settlements.placeAtEnd(held.key);
                }
                throw e;
            }
        });
        if (!settled) {
            return afterLostCommit(held, handler, unsure.get());
        }
        held.state = held.state.to(known.state());
        Metrics metrics = settlements.metrics();
        metrics.once(held.key.scope(), Metrics.Ending.APPLIED, 1);
        metrics.claim(held.key.scope(), known.isRefusal() ? Claiming.REFUSED : Claiming.SETTLED);
        return known.isRefusal()
                ? new ClaimResult.Refused<>(held.key, String.valueOf(known.refusal()))
                : new ClaimResult.Settled<>(held.key, Optional.ofNullable(value));
    }

    private <T> boolean once(Held held, Known known, ClaimHandler<T> handler, @Nullable T value) throws SQLException {
        Connections connections = settlements.connections();
        if (!handler.hasEffects(known)) {
            return connections.autoCommit(connection -> settle(connection, held, known));
        }
        try (Connection connection = connections.borrow()) {
            boolean before = Connections.begin(connection);
            try {
                boolean settled = settle(connection, held, known);
                if (settled) {
                    settlements.workAndCommit(connection, tx -> {
                        if (value == null) {
                            handler.refusing(String.valueOf(known.refusal()), tx.of(held.key));
                        } else {
                            handler.settling(value, tx.of(held.key));
                        }
                    });
                } else {
                    connection.commit();
                }
                return settled;
            } catch (Throwable failure) {
                Connections.rollback(connection, failure);
                throw failure;
            } finally {
                Connections.end(connection, before);
            }
        }
    }

    /** False if the claim isn't ours (any more). Also if the key was applied by {@code once}: then nothing is settled, and the claim goes. */
    private boolean settle(Connection connection, Held held, Known known) throws SQLException {
        try {
            return store.settle(connection, held, known);
        } catch (SQLException e) {
            if (!SqlFaults.isUniqueViolation(e)) {
                throw e;
            }
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            store.release(connection, held);
            return false;
        }
    }

    /** The claim isn't ours (any more). If the answer of an earlier commit of ours got lost, that commit may be why. */
    private <T> ClaimResult<T> afterLostCommit(Held held, ClaimHandler<T> handler, boolean unsure) {
        Marker marker = held.marker;
        if (unsure && marker != null) {
            Look.Ended ended = look(held.key, marker).ended();
            if (ended != null) {
                return replay(held.key, marker, ended, handler.type());
            }
        }
        throw fenced(
                held, "its answer was settled; what the other system answered is not lost, for the new owner asks it");
    }

    Look look(Key key, Marker marker) {
        return settlements.retried(
                key, () -> settlements.connections().autoCommit(connection -> store.look(connection, marker)));
    }

    /** What a repeat is told. */
    <T> ClaimResult<T> replay(Key key, Marker marker, Look.Ended ended, Class<T> type) {
        settlements.metrics().once(key.scope(), Metrics.Ending.REPLAYED, 1);
        Optional<Encoded> kept = kept(key, marker, ended);
        if (ended.refused()) {
            return new ClaimResult.Refused<>(
                    key,
                    kept.map(reason -> new String(reason.body(), StandardCharsets.UTF_8))
                            .orElse("refused before; the reason is no longer kept"));
        }
        return new ClaimResult.Settled<>(key, kept.map(answer -> decode(key, answer, type)));
    }

    /** What the look has found, or else what is kept where it didn't look: under an earlier declaration of the scope. */
    private Optional<Encoded> kept(Key key, Marker marker, Look.Ended ended) {
        Encoded outcome = ended.outcome();
        if (outcome == null) {
            return settlements.retried(
                    key,
                    () -> settlements.connections().autoCommit(connection -> settlements.kept(connection, marker)));
        }
        boolean over = ended.keptAt() == null || settlements.isOver(marker, ended.keptAt());
        return over ? Optional.empty() : Optional.of(outcome);
    }

    private <T> T decode(Key key, Encoded encoded, Class<T> type) {
        return settlements.decode(key, encoded.type(), encoded.body(), type);
    }

    FencedException fenced(Held held, String before) {
        settlements.metrics().claim(held.key.scope(), Claiming.FENCED);
        return new FencedException(
                held.key,
                "key " + held.key + " was taken over by another owner (this one had token " + held.token + ") before "
                        + before
                        + ". Nothing was changed by this one; call again later with the same key for the answer");
    }
}
