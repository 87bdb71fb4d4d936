package dev.hapax.benchmarks;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The effects of one side, as they lie in the table. Each call looks only at what was added since the last one, so that a check stays short beside the rounds; nothing else may be in flight then.
 */
final class EffectCount {

    private final Lab lab;
    private final String side;
    private long after;
    private long total;

    EffectCount(Lab lab, String side) throws SQLException {
        this.lab = lab;
        this.side = side;
        this.after = lab.number("SELECT coalesce(max(id), 0) FROM bench.effect");
    }

    /** Compares all effects so far with what was counted. */
    void check(long operations) throws SQLException {
        check(operations, "");
    }

    /** As {@link #check(long)}; and each new effect has its marker, and no two have the same key. */
    void check(long operations, int producer) throws SQLException {
        // Ids ascend, so the markers of what was added are the last ones.
        check(
                operations,
                " JOIN (SELECT key FROM " + lab.markers() + " WHERE scope = " + lab.scope + " AND producer = "
                        + producer + " AND key >= (SELECT min(key)" + added() + ")) m ON m.key = e.key");
    }

    private String added() {
        return " FROM bench.effect WHERE id > " + after + " AND side = '" + side + "'";
    }

    private void check(long operations, String join) throws SQLException {
        long effects = lab.number("SELECT count(*)" + added());
        WrongRows.unlessEqual(
                "effects of '" + side + "', each with its own key",
                effects,
                hashed("SELECT count(DISTINCT e.key) FROM (SELECT key" + added() + ") e" + join));
        total += effects;
        after = lab.number("SELECT coalesce(max(id), 0) FROM bench.effect");
        WrongRows.unlessEqual("effects of '" + side + "'", operations, total);
    }

    /** There are no statistics yet of what was just written, and a plan by a guess could take minutes. */
    private long hashed(String sql) throws SQLException {
        try (Connection connection = lab.pool.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'");
            try (ResultSet row = statement.executeQuery(sql)) {
                row.next();
                return row.getLong(1);
            } finally {
                connection.rollback();
            }
        }
    }
}
