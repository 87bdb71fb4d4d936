package dev.hapax.schema;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a service's role needs of the schema. The grants and the question whether they were given are made of the same words, so that who has
 * run the one is not refused by the other, and who lacks a right hears of it before the day on which it is needed.
 */
enum Rights {
    TABLE("has_table_privilege", "SELECT", "INSERT", "UPDATE", "DELETE"),
    SEQUENCE("has_sequence_privilege", "USAGE", "SELECT"),
    FUNCTION("has_function_privilege", "EXECUTE");

    private static final String REMEDY = "; run the SQL of ./hapax schema grants --role NAME as the schema's owner";

    private final String question;
    private final List<String> privileges;

    Rights(String question, String... privileges) {
        this.question = question;
        this.privileges = List.of(privileges);
    }

    /** The SQL that gives them to a role. */
    static List<String> grants(String role) {
        return Stream.of(
                        Stream.of("GRANT USAGE ON SCHEMA hapax TO \"" + role + "\";"),
                        Stream.of(values())
                                .map(kind -> "GRANT " + kind.words() + " ON ALL " + kind + "S IN SCHEMA hapax TO \""
                                        + role + "\";"),
                        Stream.of(
                                "-- For the partitions of the days to come:",
                                "ALTER DEFAULT PRIVILEGES IN SCHEMA hapax GRANT " + TABLE.words() + " ON TABLES TO \""
                                        + role + "\";"))
                .flatMap(lines -> lines)
                .toList();
    }

    private String words() {
        return String.join(", ", privileges);
    }

    private String lacking(String condition) {
        String wanted = privileges.stream().map(word -> "'" + word + "'").collect(Collectors.joining(", "));
        return "array_to_string(ARRAY(SELECT w FROM unnest(ARRAY[" + wanted + "]) w WHERE NOT " + condition
                + "), ', ')";
    }

    /** Of this connection's role. */
    private String lackingOn(String oid) {
        return lacking(question + "(" + oid + ", w)");
    }

    /**
     * All things of the schema, but days: those are told by tree, and only where a right is lacking. One row stands for the days to come, which belong to the owner of the function that makes them.
     */
    private static String question() {
        String here = " = CAST('hapax' AS regnamespace)";
        return "SELECT kind, tree, min(name), count(*), lacking FROM ("
                + "SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, CAST(t.relname AS text), CAST(c.relname AS text),"
                + " CASE c.relkind WHEN 'S' THEN " + SEQUENCE.lackingOn("c.oid") + " ELSE " + TABLE.lackingOn("c.oid")
                + " END FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.inhparent"
                + " WHERE c.relnamespace" + here + " AND c.relkind IN ('r', 'p', 'v', 'S')"
                + " UNION ALL SELECT 'FUNCTION', NULL, proname, " + FUNCTION.lackingOn("oid")
                + " FROM pg_proc WHERE pronamespace" + here
                + " UNION ALL SELECT 'TYPE', NULL, typname, '' FROM pg_type WHERE typnamespace" + here
                + " UNION ALL SELECT 'DAYS', NULL, pg_get_userbyid(f.proowner), "
                + TABLE.lacking("(pg_has_role(f.proowner, 'USAGE') OR EXISTS ("
                        + "SELECT FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a"
                        + " WHERE d.defaclrole = f.proowner AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, f.pronamespace)"
                        + " AND a.privilege_type = w AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))))")
                + " FROM pg_proc f WHERE f.pronamespace" + here + " AND f.proname = 'ensure_partition'"
                + ") things (kind, tree, name, lacking) GROUP BY kind, tree, coalesce(tree, name), lacking"
                + " HAVING tree IS NULL OR lacking <> '' ORDER BY 1, 2, 3";
    }

    /**
     * What is missing or may not be used, in words; empty if nothing is.
     *
     * @param wanted the kinds of things of the schema, as SQL calls them, by their names
     */
    static List<String> missing(Connection connection, Map<String, String> wanted) throws SQLException {
        List<String> problems = new ArrayList<>();
        // All that lacks the same is told together: who has run no grants at all would read the remedy a hundred times.
        Map<String, List<String>> lacking = new TreeMap<>();
        Set<String> found = new HashSet<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(question())) {
            while (row.next()) {
                String name = row.getString(3);
                found.add(name);
                String rights = row.getString(5);
                if (!rights.isEmpty()) {
                    lacking.computeIfAbsent(rights, r -> new ArrayList<>())
                            .add(what(row.getString(1), row.getString(2), name, row.getLong(4)));
                }
            }
        }
        lacking.forEach((rights, things) -> problems.add(
                "the role of this connection has no " + rights + " on " + String.join(", ", things) + REMEDY));
        wanted.forEach((name, kind) -> {
            if (!found.contains(name)) {
                problems.add(absent(kind.toLowerCase(Locale.ROOT), name));
            }
        });
        return problems;
    }

    private static String what(String kind, @Nullable String tree, String name, long number) {
        if (kind.equals("DAYS")) {
            return "the partitions of the days to come, which belong to " + name;
        }
        return tree == null
                ? "the " + kind.toLowerCase(Locale.ROOT) + " hapax." + name
                : number + " partitions of hapax." + tree + ", such as hapax." + name;
    }

    private static String absent(String kind, String name) {
        boolean holdsRows = kind.equals("table") || kind.equals("sequence");
        return "the " + kind + " hapax." + name + " is not there, although its version is noted; "
                + (holdsRows
                        ? "restore it from a backup: it tells what was applied"
                        : "make it anew as ./hapax schema print has it");
    }
}
