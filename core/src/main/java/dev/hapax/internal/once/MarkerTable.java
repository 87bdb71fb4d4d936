package dev.hapax.internal.once;

import dev.hapax.internal.Days;
import dev.hapax.internal.Partitions;
import org.jspecify.annotations.Nullable;

/**
 * The statements on one table of markers, made once per table: a driver finds a prepared statement by its text. Names of tables are made
 * of Hapax's own words and digits, never of input.
 */
public final class MarkerTable {

    static final MarkerTable TIMELESS = new MarkerTable("hapax.marker_timeless", null);

    public final String name;
    /** scope, producer, key */
    final String insert;
    /** scope, producer, key, fingerprint */
    final String insertMatching;
    /** scopes, producers, keys, fingerprints, as arrays; answers {@link #FRESH} */
    final String insertAll;
    /** scope, producer, keys as an array; answers how many are new and their keys: the usual batch, at half the cost of {@link #insertAll} */
    final String insertAlike;
    /** As {@link #insertAll}, of keys that are all new: fails otherwise, and answers nothing */
    final String insertAllNew;
    /** As {@link #insertAlike}, of keys that are all new: fails otherwise, and answers nothing */
    final String insertAlikeNew;
    /** scope, producer, key */
    final String find;
    /** scopes, producers, keys, as arrays */
    public final String findAll;

    /**
     * How many of a batch are new, and which. One row of arrays instead of a row each: it is cheaper to make, to send and, where all are new, needs no reading.
     */
    private static final String FRESH =
            "SELECT count(*), array_agg(scope), array_agg(producer), array_agg(CAST(key AS text)) FROM fresh";

    private MarkerTable(String name, @Nullable String day) {
        this.name = name;
        String dayColumn = day == null ? "" : "day, ";
        String dayValue = day == null ? "" : "DATE '" + day + "', ";
        this.insert = "INSERT INTO " + name + " (" + dayColumn + "scope, producer, key) VALUES (" + dayValue
                + "?, ?, ?) ON CONFLICT DO NOTHING";
        this.insertMatching = "INSERT INTO " + name + " (" + dayColumn + "scope, producer, key, fingerprint) VALUES ("
                + dayValue + "?, ?, ?, ?) ON CONFLICT DO NOTHING";
        this.insertAllNew = "INSERT INTO " + name + " (" + dayColumn + "scope, producer, key, fingerprint) SELECT "
                + dayValue + "* FROM unnest(CAST(? AS int[]), CAST(? AS int[]), CAST(? AS text[]), CAST(? AS bytea[]))";
        this.insertAlikeNew = "INSERT INTO " + name + " (" + dayColumn + "scope, producer, key) SELECT " + dayValue
                + "?, ?, * FROM unnest(CAST(? AS text[]))";
        this.insertAll =
                "WITH fresh AS (" + insertAllNew + " ON CONFLICT DO NOTHING RETURNING scope, producer, key) " + FRESH;
        this.insertAlike = "WITH fresh AS (" + insertAlikeNew + " ON CONFLICT DO NOTHING RETURNING key) "
                + "SELECT count(*), array_agg(CAST(key AS text)) FROM fresh";
        this.find = "SELECT fingerprint FROM " + name + " WHERE scope = ? AND producer = ? AND key = ?";
        this.findAll = "SELECT m.scope, m.producer, m.key, m.fingerprint"
                + " FROM unnest(CAST(? AS int[]), CAST(? AS int[]), CAST(? AS text[])) AS w (scope, producer, key)"
                + " JOIN " + name + " m ON m.scope = w.scope AND m.producer = w.producer AND m.key = w.key";
    }

    /** The statement that inserts a marker: scope, producer, key and, if it matches, the fingerprint. */
    public String insert(boolean matching) {
        return matching ? insertMatching : insert;
    }

    static MarkerTable of(String tree, long epochDay) {
        return new MarkerTable(Partitions.table(tree, epochDay), Days.iso(epochDay));
    }

    /**
     * Marker and effect in one statement; see {@link dev.hapax.once.Once#statement}. Each row that the effect changes proves that the key is new, or the
     * domain stops it all.
     */
    String with(String effect, boolean matching, boolean waits) {
        String mark = waits
                ? "once AS (" + (matching ? insertMatching : insert) + " RETURNING 1 AS marked)"
                : "mark (marked) AS MATERIALIZED (SELECT hapax.mark_at_once(CAST(? AS regclass), ?, ?, CAST(? AS date), ?, ?)),"
                        + " once AS (SELECT marked FROM mark WHERE marked = 1)";
        return "WITH " + mark + ", effect AS (" + effect
                + " RETURNING CAST((SELECT marked FROM once) AS hapax.statement_must_read_from_once))"
                + " SELECT coalesce((SELECT marked FROM " + (waits ? "once" : "mark") + "), 0), count(*) FROM effect";
    }
}
