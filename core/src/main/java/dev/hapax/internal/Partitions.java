package dev.hapax.internal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which days of which tree exist. Rows are written into the partition of their day directly: that spares the routing, and it takes no lock on
 * the tree, so that dropping a day waits for nobody and nobody waits for it.
 *
 * <p>Safe for use by many threads.
 */
public final class Partitions {

    private static final String LIST = """
            SELECT p.relname, c.relname
            FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
            WHERE n.nspname = 'hapax' AND p.relkind = 'p'""";

    private final Connections connections;
    private final Map<String, Set<Long>> known = new ConcurrentHashMap<>();

    public Partitions(Connections connections) {
        this.connections = connections;
    }

    /** {@code hapax.marker_30_20261124} */
    public static String table(String tree, long epochDay) {
        return "hapax." + tree + "_" + Days.compact(epochDay);
    }

    /**
     * Makes sure that the day's partition is there, on a connection of its own where it has to be created.
     *
     * @return false if the day is behind the tree's retention (or too far ahead), and stays away for good
     */
    public boolean ensure(String tree, long epochDay) throws SQLException {
        if (known(tree).contains(epochDay)) {
            return true;
        }
        boolean there = connections.autoCommit(connection -> create(connection, tree, epochDay));
        if (there) {
            known(tree).add(epochDay);
        }
        return there;
    }

    private static boolean create(Connection connection, String tree, long epochDay) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT hapax.ensure_partition(?, CAST(? AS date))")) {
            statement.setString(1, tree);
            statement.setString(2, Days.iso(epochDay));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** Forgets a day: a statement has found that it was dropped. */
    public void forget(String tree, long epochDay) {
        known(tree).remove(epochDay);
    }

    /** Reads all of them anew. */
    public void refresh(Connection connection) throws SQLException {
        Map<String, Set<Long>> found = list(connection);
        known.keySet().retainAll(found.keySet());
        found.forEach((tree, days) -> {
            Set<Long> set = ConcurrentHashMap.newKeySet();
            set.addAll(days);
            known.put(tree, set);
        });
    }

    /** The days of each tree that exist, oldest first. */
    public static Map<String, Set<Long>> list(Connection connection) throws SQLException {
        Map<String, Set<Long>> found = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(LIST)) {
            while (rows.next()) {
                String tree = rows.getString(1);
                String leaf = rows.getString(2);
                found.computeIfAbsent(tree, t -> new TreeSet<>())
                        .add(Days.ofCompact(leaf.substring(tree.length() + 1)));
            }
        }
        return found;
    }

    private Set<Long> known(String tree) {
        Set<Long> days = known.get(tree);
        return days != null ? days : known.computeIfAbsent(tree, t -> ConcurrentHashMap.newKeySet());
    }
}
