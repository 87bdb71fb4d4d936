package dev.hapax.schema;

import dev.hapax.SchemaException;
import dev.hapax.StoreException;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.log.Lanes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * The tables that Hapax needs, in the schema {@code hapax} of the service's own database. Numbered SQL files, frozen once released, named so
 * that Flyway can apply them as well ({@code classpath:dev/hapax/schema/postgresql}).
 *
 * <p>Safe for use by many threads.
 */
public final class Schema {

    /** The files, in order. */
    private static final List<String> FILES = List.of(
            "V1__once.sql",
            "V2__log.sql",
            "V3__control.sql",
            "V4__kafka.sql",
            "V5__claim.sql",
            "V6__saga.sql",
            "V7__twophase.sql",
            "V8__event.sql");

    private static final Pattern ROLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_$]{0,62}");

    private static final Pattern CREATED =
            Pattern.compile("CREATE (TABLE|VIEW|SEQUENCE|FUNCTION|DOMAIN|TYPE) hapax\\.([a-z_0-9]+)(?![a-z_0-9%])");

    private final DataSource dataSource;

    private Schema(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** The schema in this database. */
    public static Schema on(DataSource dataSource) {
        return new Schema(dataSource);
    }

    /** The version that this library needs. */
    public static int version() {
        return number(FILES.getLast());
    }

    private static int number(String file) {
        return Integer.parseInt(file.substring(1, file.indexOf("__")));
    }

    /** All SQL, in order, as {@link #apply()} would run it on an empty database. */
    public static String print() {
        StringBuilder all = new StringBuilder();
        for (String file : FILES) {
            all.append("-- ").append(file).append('\n').append(read(file)).append('\n');
        }
        return all.toString();
    }

    /**
     * The SQL that gives a role what a service needs at run time: rows and functions, no DDL. Partitions are made by functions that run with
     * the rights of the schema's owner. To be run by that owner. Its last line bounds how long a session of the role may be idle in a transaction.
     *
     * @param role 1 to 63 letters, digits, {@code _} or {@code $}
     * @throws IllegalArgumentException if the name is another
     */
    public static String grants(String role) {
        if (!ROLE.matcher(role).matches()) {
            throw new IllegalArgumentException(
                    "a role's name must be 1 to 63 letters, digits, '_' or '$', and begin with a letter; it was \""
                            + role + "\"");
        }
        List<String> lines = new ArrayList<>(Rights.grants(role));
        lines.add(
                "-- So that a paused process does not hold the locks of its transaction for ever (needs the right to alter the role):");
        lines.add("ALTER ROLE \"" + role + "\" SET idle_in_transaction_session_timeout = '30s';\n");
        return String.join("\n", lines);
    }

    /**
     * What is missing, in words for the person who deploys; empty if all is there and may be used by this role: each table, sequence and
     * function, and the partitions of the days to come. Changes nothing.
     *
     * @throws StoreException if the database can't be asked
     */
    public List<String> check() {
        try (Connection connection = dataSource.getConnection()) {
            return check(connection);
        } catch (SQLException e) {
            throw new StoreException("the schema can't be checked: " + e.getMessage(), e);
        }
    }

    private static List<String> check(Connection connection) throws SQLException {
        boolean before = connection.getAutoCommit();
        connection.setAutoCommit(true);
        try {
            SortedSet<Integer> found = installed(connection);
            List<String> wanted = notIn(found);
            if (!wanted.isEmpty()) {
                return List.of(
                        found.isEmpty()
                                ? "the schema \"hapax\" is not there; run ./hapax schema apply, or give the SQL of ./hapax schema print to whoever may"
                                : "the schema \"hapax\" has version " + found.getLast()
                                        + ", and this library needs " + String.join(", ", wanted)
                                        + " as well; run ./hapax schema apply, or give the files to whoever may");
            }
            if (found.getLast() > version()) {
                return List.of("the schema \"hapax\" has version " + found.getLast() + ", and this library knows only "
                        + version() + "; use the library that made it");
            }
            return Rights.missing(connection, things());
        } catch (SQLException e) {
            if (!SqlFaults.isSchemaMissing(e)) {
                throw e;
            }
            return List.of("the role of this connection may not use the schema \"hapax\" (" + e.getMessage()
                    + "); run the SQL of ./hapax schema grants --role NAME as the schema's owner");
        } finally {
            connection.setAutoCommit(before);
        }
    }

    private static List<String> notIn(SortedSet<Integer> found) {
        return FILES.stream().filter(file -> !found.contains(number(file))).toList();
    }

    /** The files that were applied, by their numbers. */
    private static SortedSet<Integer> installed(Connection connection) throws SQLException {
        SortedSet<Integer> found = new TreeSet<>();
        try (Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery("SELECT to_regclass('hapax.schema_version') IS NOT NULL")) {
                row.next();
                if (!row.getBoolean(1)) {
                    return found;
                }
            }
            try (ResultSet row = statement.executeQuery("SELECT version FROM hapax.schema_version")) {
                while (row.next()) {
                    found.add(row.getInt(1));
                }
            }
        }
        return found;
    }

    /** What the files create, by name: read from them, and what they make in loops. */
    private static Map<String, String> things() {
        Map<String, String> things = new TreeMap<>();
        Matcher created = CREATED.matcher(print());
        while (created.find()) {
            things.put(created.group(2), created.group(1));
        }
        for (int days : new int[] {1, 7, 30, 90, 400}) {
            things.put("marker_" + days, "TABLE");
            things.put("outcome_" + days, "TABLE");
        }
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            things.put("lane_" + lane, "SEQUENCE");
        }
        return things;
    }

    /**
     * Refuses a database whose schema is not complete.
     *
     * @throws SchemaException with all that is missing
     */
    public void require() {
        List<String> problems = check();
        if (!problems.isEmpty()) {
            throw new SchemaException("Hapax can't work on this database: " + String.join("; ", problems), null);
        }
    }

    /**
     * Applies the files that are not there yet, in one transaction, under a lock, so that many processes may try at once.
     *
     * @return the names of the files that were applied
     * @throws StoreException if the database refuses; nothing was changed then
     */
    public List<String> apply() {
        try (Connection connection = dataSource.getConnection()) {
            boolean before = connection.getAutoCommit();
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SELECT pg_advisory_xact_lock(hashtextextended('hapax.schema', 0))");
                List<String> applied = notIn(installed(connection));
                for (String file : applied) {
                    statement.execute(read(file));
                }
                connection.commit();
                return applied;
            } catch (SQLException e) {
                connection.rollback();
                throw e;
            } finally {
                connection.setAutoCommit(before);
            }
        } catch (SQLException e) {
            throw new StoreException("the schema could not be applied; nothing was changed: " + e.getMessage(), e);
        }
    }

    private static String read(String file) {
        try (InputStream in = Schema.class.getResourceAsStream("/dev/hapax/schema/postgresql/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the library is not whole: " + file + " is missing from it");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
