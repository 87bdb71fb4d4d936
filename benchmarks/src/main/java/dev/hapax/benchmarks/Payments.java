package dev.hapax.benchmarks;

import dev.hapax.Key;
import dev.hapax.once.Result;
import dev.hapax.once.Verdict;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** One operation with a one-row effect, by Hapax and by hand, on the same tables. */
final class Payments {

    static final String EFFECT = "INSERT INTO bench.effect (side, key, amount) VALUES (?, ?, ?)";
    static final String GATED_EFFECT = "INSERT INTO bench.effect (side, key, amount) SELECT ?, ?, ? FROM once";
    static final BigDecimal AMOUNT = new BigDecimal("19.90");

    private final Lab lab;
    private final String insertMarker;

    Payments(Lab lab) {
        this.lab = lab;
        this.insertMarker = "INSERT INTO " + lab.markers() + " (day, scope, producer, key) VALUES (DATE '" + lab.day
                + "', ?, ?, ?) ON CONFLICT DO NOTHING";
    }

    static void effect(Connection connection, String side, String id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(EFFECT)) {
            insert.setString(1, side);
            insert.setString(2, id);
            insert.setBigDecimal(3, AMOUNT);
            insert.executeUpdate();
        }
    }

    /** Marker and effect by Hapax; true if it was new. */
    boolean once(String side, String id) throws SQLException {
        return lab.hapax.once(Key.of(Lab.SCOPE, id)).run(tx -> effect(tx.connection(), side, id)) == Verdict.APPLIED;
    }

    /** Marker and effect in one statement by Hapax. */
    boolean onceStatement(String side, String id) {
        Result<Long> result = lab.hapax.once(Key.of(Lab.SCOPE, id)).statement(GATED_EFFECT, side, id, AMOUNT);
        return result.isApplied();
    }

    /** Marker and effect in one statement as one writes it by hand: nothing stops a statement that does not read from {@code once}. */
    boolean statementByHand(String side, String id) throws SQLException {
        try (Connection connection = lab.pool.getConnection();
                PreparedStatement insert = connection.prepareStatement(
                        "WITH once AS (" + insertMarker + " RETURNING 1) " + GATED_EFFECT)) {
            insert.setInt(1, lab.scope);
            insert.setInt(2, lab.byHand);
            insert.setString(3, id);
            insert.setString(4, side);
            insert.setString(5, id);
            insert.setBigDecimal(6, AMOUNT);
            return insert.executeUpdate() == 1;
        }
    }

    /** The same two INSERTs in one transaction, as one writes them by hand. */
    boolean twoInserts(String side, String id) throws SQLException {
        return inserts(side, id, connection -> {});
    }

    /** What follows the effect in its transaction. */
    @FunctionalInterface
    interface More {
        void insert(Connection connection) throws SQLException;
    }

    /** What follows the commit. */
    @FunctionalInterface
    interface Then {
        void run() throws SQLException;
    }

    boolean inserts(String side, String id, More more) throws SQLException {
        return inserts(side, id, more, () -> {});
    }

    boolean inserts(String side, String id, More more, Then then) throws SQLException {
        try (Connection connection = lab.pool.getConnection()) {
            connection.setAutoCommit(false);
            try {
                boolean fresh = mark(connection, id);
                if (fresh) {
                    effect(connection, side, id);
                    more.insert(connection);
                }
                connection.commit();
                then.run();
                return fresh;
            } catch (Throwable failure) {
                connection.rollback();
                throw failure;
            }
        }
    }

    /** The INSERT of the marker alone, in a transaction of its own by auto-commit. */
    boolean markAlone(String id) throws SQLException {
        try (Connection connection = lab.pool.getConnection()) {
            return mark(connection, id);
        }
    }

    boolean mark(Connection connection, String id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(insertMarker)) {
            insert.setInt(1, lab.scope);
            insert.setInt(2, lab.byHand);
            insert.setString(3, id);
            return insert.executeUpdate() == 1;
        }
    }

    /** The effect alone, without any deduplication. */
    void plain(String side, String id) throws SQLException {
        try (Connection connection = lab.pool.getConnection()) {
            effect(connection, side, id);
        }
    }

    /** A side that applies new operations and counts its markers and effects. */
    Cell cell(String name, Crew crew, int producer, Operation operation) throws SQLException {
        EffectCount effects = new EffectCount(lab, name);
        return new Cell(name) {
            @Override
            Done run(java.time.Duration slice) throws Exception {
                return crew.run(slice, () -> {
                    WrongRows.unless(operation.apply(name, Ids.next()), "%s took a new key for a seen one", name);
                    return 1;
                });
            }

            @Override
            void check(long operations) throws SQLException {
                if (producer == NO_MARKERS) {
                    effects.check(operations);
                } else {
                    effects.check(operations, producer);
                }
            }
        };
    }

    static final int NO_MARKERS = -1;

    /** One operation of a side. */
    @FunctionalInterface
    interface Operation {
        boolean apply(String side, String id) throws Exception;
    }
}
