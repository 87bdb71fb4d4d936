package dev.hapax.internal;

import dev.hapax.SchemaException;
import dev.hapax.Scope;
import dev.hapax.StoreException;
import dev.hapax.spi.Metrics;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The numbers that stand for scopes and producers in stored rows. A number is made of its name, so that it is the same whenever the name is stored: what a process remembers is still right when the database
 * was put back to a time before the name was there.
 *
 * <p>Safe for use by many threads.
 */
public final class Names {

    /** The most scopes and the most producers in one service: a name for each operation would be a mistake. */
    public static final int NAMES_MAX = 10_000;

    /** Two of ten thousand names have the same number with a chance of 2 %, and the second then takes the next one; sixteen in a row never do. */
    private static final int NUMBERS_TRIED = 16;

    private static final int[] CLASSES = {1, 7, 30, 90, 400};

    /** The trees of answers, of all classes. */
    public static final List<String> OUTCOMES =
            Arrays.stream(CLASSES).mapToObj(days -> "outcome_" + days).toList();

    private final Connections connections;
    private final Metrics metrics;
    private final Scope defaults;
    private final Map<String, StoredScope> scopes = new ConcurrentHashMap<>();
    private final Map<String, Integer> producers = new ConcurrentHashMap<>();

    /** @param defaults the windows of scopes that nobody declares */
    public Names(Connections connections, Metrics metrics, Scope defaults) {
        this.connections = connections;
        this.metrics = metrics;
        this.defaults = defaults;
    }

    /**
     * A scope as it is stored.
     *
     * @param markerDays the class of its markers
     * @param outcomeDays the class of its outcomes
     */
    public record StoredScope(
            int id, String name, long windowMillis, int markerDays, int outcomeDays, long outcomeMillis) {

        public String markers() {
            // Asked for each key: words that are there cost nothing.
            return switch (markerDays) {
                case 1 -> "marker_1";
                case 7 -> "marker_7";
                case 30 -> "marker_30";
                case 90 -> "marker_90";
                default -> "marker_400";
            };
        }

        public String outcomes() {
            return switch (outcomeDays) {
                case 1 -> "outcome_1";
                case 7 -> "outcome_7";
                case 30 -> "outcome_30";
                case 90 -> "outcome_90";
                default -> "outcome_400";
            };
        }
    }

    public StoredScope scope(String name) throws SQLException {
        StoredScope known = scopes.get(name);
        return known != null ? known : declare(defaults.renamed(name), false);
    }

    public int producer(String name) throws SQLException {
        Integer known = producers.get(name);
        if (known != null) {
            return known;
        }
        Checks.that(
                producers.size() < NAMES_MAX, "more than %d producers; is a producer made for each key?", NAMES_MAX);
        int id = connections.autoCommit(connection -> {
            Integer found = findProducer(connection, name);
            for (int tried = 0; found == null && tried < NUMBERS_TRIED; tried++) {
                insertProducer(connection, number(name, tried), name);
                found = findProducer(connection, name);
            }
            if (found == null) {
                throw new StoreException("the producer " + name + " could not be stored", null);
            }
            return found;
        });
        producers.put(name, id);
        return id;
    }

    /** Reads a producer that is stored, so that its first callers need not ask for it; it is not stored here, for whoever only looks at a database leaves it as it is. */
    void recall(Connection connection, String producer) throws SQLException {
        Integer found = findProducer(connection, producer);
        if (found != null) {
            producers.put(producer, found);
        }
    }

    private static @Nullable Integer findProducer(Connection connection, String name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT id FROM hapax.producer WHERE name = ?")) {
            select.setString(1, name);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getInt(1) : null;
            }
        }
    }

    private static void insertProducer(Connection connection, int number, String name) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.producer (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING")) {
            insert.setInt(1, number);
            insert.setString(2, name);
            insert.executeUpdate();
        }
    }

    /** Not negative, and the same for ever: the first bytes of the name's SHA-256, and the next ones after it. */
    private static int number(String name, int tried) {
        byte[] hash = SystemSource.sha256().digest(name.getBytes(StandardCharsets.UTF_8));
        return (ByteBuffer.wrap(hash).getInt() + tried) & Integer.MAX_VALUE;
    }

    /** Forgets what it has read: the database has gone back in time, and may not have it any more. */
    public void forget() {
        scopes.clear();
        producers.clear();
    }

    /** Stores a scope, or finds the stored one. A declaration also brings the stored one up to date, where that is safe. */
    public StoredScope declare(Scope scope, boolean declared) throws SQLException {
        Checks.that(scopes.size() < NAMES_MAX, "more than %d scopes; is a scope made for each key?", NAMES_MAX);
        StoredScope stored = connections.autoCommit(connection -> {
            StoredScope found = find(connection, scope.name());
            for (int tried = 0; found == null && tried < NUMBERS_TRIED; tried++) {
                insert(connection, number(scope.name(), tried), scope);
                found = find(connection, scope.name());
            }
            if (found == null) {
                throw new StoreException("the scope " + scope.name() + " could not be stored", null);
            }
            return declared ? update(connection, scope, found) : found;
        });
        scopes.put(scope.name(), stored);
        metrics.scope(scope.name());
        return stored;
    }

    private static @Nullable StoredScope find(Connection connection, String name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT id, window_seconds, marker_days, outcome_days, outcome_seconds FROM hapax.scope WHERE name = ?")) {
            select.setString(1, name);
            try (ResultSet row = select.executeQuery()) {
                return row.next()
                        ? new StoredScope(
                                row.getInt(1),
                                name,
                                row.getLong(2) * 1000,
                                row.getInt(3),
                                row.getInt(4),
                                row.getLong(5) * 1000)
                        : null;
            }
        }
    }

    private static void insert(Connection connection, int number, Scope scope) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.scope (id, name, owner, runbook, marker_days, window_seconds, outcome_days, outcome_seconds)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            insert.setInt(1, number);
            insert.setString(2, scope.name());
            insert.setString(3, scope.owner().orElse(null));
            insert.setString(4, scope.runbook().map(Object::toString).orElse(null));
            insert.setInt(5, classOf(scope.window().toSeconds()));
            insert.setLong(6, scope.window().toSeconds());
            insert.setInt(7, classOf(scope.outcomes().toSeconds()));
            insert.setLong(8, scope.outcomes().toSeconds());
            insert.executeUpdate();
        }
    }

    /**
     * Owner, runbook, and windows inside the same class follow the declaration. Another class of markers does not: old keys lie in the
     * partitions of the old one, and would be taken for new.
     */
    private static StoredScope update(Connection connection, Scope scope, StoredScope found) throws SQLException {
        int wanted = classOf(scope.window().toSeconds());
        if (wanted != found.markerDays()) {
            throw new SchemaException(
                    "scope " + scope.name() + " is declared with a window of "
                            + scope.window().toDays()
                            + " days, which needs markers of " + wanted + " days; its stored markers are of "
                            + found.markerDays()
                            + " days (hapax.scope). Moving a scope to another class would forget its keys:"
                            + " declare a window of at most " + found.markerDays() + " days"
                            + (wanted < found.markerDays() ? " that needs the same class" : "")
                            + ", or give the operation a new scope name",
                    null);
        }
        StoredScope next = new StoredScope(
                found.id(),
                found.name(),
                scope.window().toSeconds() * 1000,
                wanted,
                classOf(scope.outcomes().toSeconds()),
                scope.outcomes().toSeconds() * 1000);
        try (PreparedStatement update = connection.prepareStatement("""
                UPDATE hapax.scope SET owner = ?, runbook = ?, window_seconds = ?, outcome_days = ?, outcome_seconds = ?
                WHERE id = ? AND (owner, runbook, window_seconds, outcome_days, outcome_seconds)
                    IS DISTINCT FROM (CAST(? AS text), CAST(? AS text), ?, ?, ?)""")) {
            int i = 1;
            for (int part = 0; part < 2; part++) {
                update.setString(i++, scope.owner().orElse(null));
                update.setString(i++, scope.runbook().map(Object::toString).orElse(null));
                update.setLong(i++, next.windowMillis() / 1000);
                update.setInt(i++, next.outcomeDays());
                update.setLong(i++, next.outcomeMillis() / 1000);
                if (part == 0) {
                    update.setInt(i++, next.id());
                }
            }
            update.executeUpdate();
        }
        return next;
    }

    private static int classOf(long seconds) {
        for (int days : CLASSES) {
            if (seconds <= days * 86_400L) {
                return days;
            }
        }
        throw new IllegalArgumentException("a window of " + seconds + " s is over " + Scope.WINDOW_MAX);
    }
}
