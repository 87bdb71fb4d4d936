package dev.hapax.benchmarks;

import java.sql.SQLException;

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
        check(
                operations,
                " AND EXISTS (SELECT FROM " + lab.markers() + " m WHERE m.scope = " + lab.scope + " AND m.producer = "
                        + producer + " AND m.key = e.key)");
    }

    private void check(long operations, String also) throws SQLException {
        String added = " FROM bench.effect e WHERE id > " + after + " AND side = '" + side + "'";
        long effects = lab.number("SELECT count(*)" + added);
        WrongRows.unlessEqual(
                "effects of '" + side + "', each with its own key",
                effects,
                lab.number("SELECT count(DISTINCT key)" + added + also));
        total += effects;
        after = lab.number("SELECT coalesce(max(id), 0) FROM bench.effect");
        WrongRows.unlessEqual("effects of '" + side + "'", operations, total);
    }
}
