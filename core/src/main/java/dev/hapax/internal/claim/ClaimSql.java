package dev.hapax.internal.claim;

import dev.hapax.internal.Days;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements.OutcomePlace;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The statements that need the table of a marker, made once per table: a driver finds a prepared statement by its text. Names of tables are made of Hapax's own words and digits, never of input.
 */
final class ClaimSql {

    private static final int KNOWN_MAX = 200;
    private static final Map<Place, ClaimSql> KNOWN = new ConcurrentHashMap<>();

    /** Where marker and outcome lie. */
    private record Place(
            String markers,
            @Nullable String day,
            String outcomes,
            @Nullable OutcomePlace outcome) {}

    /**
     * scope, producer, key, key time, owner, lease in ms, fingerprint, request's type, request; scope, producer, key twice; the intent with its first call. Two statements in one message to the server and one transaction.
     *
     * <p>The first writes the intent, unless there is a marker or an intent. The second looks for the marker once more, by a newer snapshot: an operation that was settled after the first one had taken its snapshot has
     * left no claim to run into, and its marker was not to be seen yet. Then the intent is taken back; whoever finds one that was not, because its process died, looks for the marker before it does anything. Under an
     * isolation level that has one snapshot for both, the caller must ask once more in a transaction of its own.
     */
    final String begin;

    /** scope, producer, key, owner: takes the intent back if there is a marker */
    final String withdraw;

    /** scope, producer, key, key time, fingerprint, request's type, request: the intent alone */
    final String submit;

    /** scope, producer, key, token, type, body; returns a row if the claim was there and its marker is written now */
    final String settle;

    /** the same, refused */
    final String refuse;

    /** scope, producer, key */
    final String look;

    private ClaimSql(Place place) {
        boolean timeless = place.day == null;
        String at = " WHERE m.scope = ? AND m.producer = ? AND m.key = ?";
        String seen = "EXISTS (SELECT FROM " + place.markers + " m WHERE m.scope = c.scope AND m.producer = c.producer"
                + " AND m.key = c.key)";
        this.withdraw =
                "DELETE FROM hapax.claim c WHERE c.scope = ? AND c.producer = ? AND c.key = ? AND c.owner = ? AND "
                        + seen;
        String absent = " WHERE NOT EXISTS (SELECT FROM " + place.markers + " m" + at + ") ON CONFLICT DO NOTHING";
        this.begin = "INSERT INTO hapax.claim (scope, producer, key, key_time, owner, due_at, called_at, attempts,"
                + " fingerprint, request_type, request) SELECT ?, ?, ?, ?, ?,"
                + " clock_timestamp() + ? * interval '1 millisecond', clock_timestamp(), 1, ?, ?, ?" + absent
                + " RETURNING token, claimed_at, current_setting('transaction_isolation'); SELECT 1 FROM "
                + place.markers + " m" + at;
        this.submit = "INSERT INTO hapax.claim (scope, producer, key, key_time, due_at, attempts, fingerprint,"
                + " request_type, request) SELECT ?, ?, ?, ?, clock_timestamp(), 0, ?, ?, ?" + absent;
        this.settle = settle(place, false);
        this.refuse = settle(place, true);
        this.look = look(place, timeless);
    }

    private static String settle(Place place, boolean refused) {
        String dayColumn = place.day == null ? "" : "day, ";
        String dayValue = place.day == null ? "" : "DATE '" + place.day + "', ";
        String mark = "WITH gone AS (DELETE FROM hapax.claim WHERE scope = ? AND producer = ? AND key = ? AND token = ?"
                + " RETURNING scope, producer, key, fingerprint), mark AS (INSERT INTO " + place.markers + " ("
                + dayColumn + "scope, producer, key, fingerprint" + (refused ? ", refused" : "") + ") SELECT "
                + dayValue + "scope, producer, key, fingerprint" + (refused ? ", true" : "")
                + " FROM gone ON CONFLICT DO NOTHING RETURNING scope, producer, key)";
        OutcomePlace outcome = place.outcome;
        // Without a place for the answer its parameters are still given, so that they are bound in one way.
        return outcome == null
                ? mark + " SELECT 1 FROM mark WHERE CAST(? AS text) IS NOT NULL OR CAST(? AS bytea) IS NULL"
                : mark + ", kept AS (INSERT INTO " + outcome.table()
                        + " (day, scope, producer, key, type, body) SELECT DATE '" + outcome.day()
                        + "', scope, producer, key, ?, ? FROM mark) SELECT 1 FROM mark";
    }

    private static String look(Place place, boolean timeless) {
        String same = ".scope = k.scope AND %1$s.producer = k.producer AND %1$s.key = k.key";
        return "SELECT m.scope IS NOT NULL, coalesce(m.refused, false), m.fingerprint, o.type, o.body, o.kept_at,"
                + " c.token, c.state, c.owner, c.fingerprint, c.doubt_since, c.attempts, c.last_error,"
                + " CASE WHEN isfinite(c.due_at) THEN CAST(extract(epoch FROM c.due_at - clock_timestamp()) * 1000 AS bigint) END,"
                + " c.answer_type IS NOT NULL OR c.refusal IS NOT NULL, c.claimed_at"
                + " FROM (SELECT CAST(? AS int) AS scope, CAST(? AS int) AS producer, CAST(? AS text) COLLATE \"C\" AS key) k"
                + " LEFT JOIN " + place.markers + " m ON m" + same.formatted("m")
                + " LEFT JOIN hapax." + place.outcomes + " o ON o" + same.formatted("o")
                + (timeless ? "" : " AND o.day = DATE '" + place.day + "'")
                + " LEFT JOIN hapax.claim c ON c" + same.formatted("c");
    }

    static ClaimSql of(Marker marker, @Nullable OutcomePlace outcome) {
        Place place = new Place(
                marker.tableOrTimeless().name,
                marker.isTimeless() ? null : Days.iso(marker.day()),
                marker.scope().outcomes(),
                outcome);
        ClaimSql known = KNOWN.get(place);
        if (known != null) {
            return known;
        }
        if (KNOWN.size() >= KNOWN_MAX) {
            // Days go by; those that are used come back.
            KNOWN.clear();
        }
        return KNOWN.computeIfAbsent(place, ClaimSql::new);
    }
}
