package dev.hapax.server.command;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads how many markers and outcomes of a scope lie in each day's partition: counted while they are few, else as the planner estimates. */
final class MarkerPartitions {

    /** Counting so many index entries costs about a millisecond. */
    private static final int COUNTED_MAX = 10_000;

    private static final Pattern ESTIMATE = Pattern.compile("rows=(\\d+)");

    private MarkerPartitions() {}

    /** How sure a number of rows is. */
    enum Certainty {
        COUNTED,
        ESTIMATED
    }

    /**
     * One day's partition of a tree.
     *
     * @param day empty for keys without a time
     * @param rows of this scope
     * @param bytes of all scopes that share the partition
     */
    record Partition(String tree, @Nullable String day, long rows, Certainty certainty, long bytes) {}

    private record Leaf(String name, @Nullable String day, long bytes) {}

    static List<Partition> of(Connection connection, ScopeTable.Scope scope) throws SQLException {
        List<Partition> partitions = new ArrayList<>();
        for (String tree : List.of("marker_" + scope.markerDays(), "outcome_" + scope.outcomeDays())) {
            for (Leaf leaf : leaves(connection, tree)) {
                partitions.add(partition(connection, tree, leaf, scope.id()));
            }
        }
        Leaf timeless = new Leaf("hapax.marker_timeless", null, size(connection, "hapax.marker_timeless"));
        partitions.add(partition(connection, "marker_timeless", timeless, scope.id()));
        return partitions.stream().filter(p -> p.rows() > 0).toList();
    }

    private static List<Leaf> leaves(Connection connection, String tree) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("""
                SELECT CAST(CAST(c.oid AS regclass) AS text), right(c.relname, 8), pg_total_relation_size(c.oid)
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = CAST(? AS regclass) ORDER BY c.relname DESC""")) {
            select.setString(1, "hapax." + tree);
            List<Leaf> leaves = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    String day = row.getString(2).replaceFirst("(\\d{4})(\\d{2})(\\d{2})", "$1-$2-$3");
                    leaves.add(new Leaf(row.getString(1), day, row.getLong(3)));
                }
            }
            return leaves;
        }
    }

    private static long size(Connection connection, String table) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT pg_total_relation_size(CAST(? AS regclass))")) {
            select.setString(1, table);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static Partition partition(Connection connection, String tree, Leaf leaf, int scope) throws SQLException {
        String rows = "SELECT FROM " + leaf.name() + " WHERE scope = " + scope;
        try (Statement statement = connection.createStatement()) {
            long counted = first(
                    statement,
                    "SELECT count(*) FROM (" + rows + " LIMIT " + (COUNTED_MAX + 1) + ") few",
                    Long::parseLong);
            if (counted <= COUNTED_MAX) {
                return new Partition(tree, leaf.day(), counted, Certainty.COUNTED, leaf.bytes());
            }
            long estimate = first(statement, "EXPLAIN " + rows, MarkerPartitions::estimated);
            return new Partition(tree, leaf.day(), Math.max(estimate, counted), Certainty.ESTIMATED, leaf.bytes());
        }
    }

    private static long first(Statement statement, String sql, java.util.function.ToLongFunction<String> read)
            throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return read.applyAsLong(row.getString(1));
        }
    }

    private static long estimated(String plan) {
        Matcher rows = ESTIMATE.matcher(plan);
        return rows.find() ? Long.parseLong(rows.group(1)) : 0;
    }
}
