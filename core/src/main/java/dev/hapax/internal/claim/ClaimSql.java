package dev.hapax.internal.claim;

import dev.hapax.internal.Days;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.once.Marker;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The statements that need the table of a marker, made once per table: a driver finds a prepared statement by its text. Names of tables are made of Hapax's own words and digits, never of input.
 */
final class ClaimSql {

    private static final int KNOWN_MAX = 200;
    private static final Map<Object, ClaimSql> KNOWN = new ConcurrentHashMap<>();

    /**
     * Where marker and answer lie.
     *
     * @param outcomes the tree of answers
     * @param outcomeDay the day in it; null if that is not there
     */
    private record Place(
            String markers,
            long day,
            String outcomes,
            @Nullable Long outcomeDay,
            Answers answers) {}

    private enum Answers {
        /** Both are kept for as long: the marker holds the answer, which spares a row and its index entry. */
        IN_THE_MARKER,
        APART,
        /** The day is behind the retention of answers. */
        NOWHERE
    }

    private static final String BEGUN =
            " ON CONFLICT DO NOTHING RETURNING token, current_setting('transaction_isolation'); SELECT 1 FROM ";

    /**
     * scope, producer, key, key time in µs, owner, lease in ms; scope, producer, key twice; the intent with its first call. Two statements in one message to the server and one transaction.
     *
     * <p>The first writes the intent, unless there is a marker or an intent. The second looks for the marker once more, by a newer snapshot: an operation that was settled after the first one had taken its snapshot has
     * left no claim to run into, and its marker was not to be seen yet. Then the intent is taken back; whoever finds one that was not, because its process died, looks for the marker before it does anything. Under an
     * isolation level that has one snapshot for both, the caller must ask once more in a transaction of its own.
     */
    final String begin;

    /** The same where no repeat is expected: without the first look, so with scope, producer, key once more only. */
    final String beginNew;

    /** As {@link #begin}, with fingerprint, request's type and request behind the lease. */
    final String beginMatching;

    /** scope, producer, key, owner: takes the intent back if there is a marker */
    final String withdraw;

    /** scope, producer, key, key time in µs, fingerprint, request's type, request; scope, producer, key: the intent alone */
    final String submit;

    /**
     * scope, producer, key, token, and type and body if {@link #keepsAnswers}: changes one row if the claim was there and its marker is written now, and fails if there is a marker. No ON CONFLICT: whoever holds the claim
     * is the only one who may write its marker, but for a misuse, so the guard of the index is enough, and a speculative insert costs more.
     */
    final String settle;

    /** the same, refused */
    final String refuse;

    final boolean keepsAnswers;

    /** scope, producer, key */
    final String look;

    private ClaimSql(Place place) {
        boolean timeless = place.day == Days.NONE;
        String dayText = timeless ? "" : "DATE '" + Days.iso(place.day) + "'";
        String at = " WHERE m.scope = ? AND m.producer = ? AND m.key = ?";
        String seen = "EXISTS (SELECT FROM " + place.markers + " m WHERE m.scope = c.scope AND m.producer = c.producer"
                + " AND m.key = c.key)";
        this.withdraw =
                "DELETE FROM hapax.claim c WHERE c.scope = ? AND c.producer = ? AND c.key = ? AND c.owner = ? AND "
                        + seen;
        String absent = " WHERE NOT EXISTS (SELECT FROM " + place.markers + " m" + at + ")";
        String identity = "INSERT INTO hapax.claim (scope, producer, key, key_time, ";
        String given = "?, ?, ?, timestamptz 'epoch' + CAST(? AS bigint) * interval '1 microsecond', ";
        String owned = "owner, due_at, called_at, attempts";
        String owner = "?, clock_timestamp() + ? * interval '1 millisecond', clock_timestamp(), 1";
        String request = "fingerprint, request_type, request";
        String begun = BEGUN + place.markers + " m" + at;
        this.begin = identity + owned + ") SELECT " + given + owner + absent + begun;
        this.beginNew = identity + owned + ") VALUES (" + given + owner + ")" + begun;
        this.beginMatching =
                identity + owned + ", " + request + ") SELECT " + given + owner + ", ?, ?, ?" + absent + begun;
        this.submit = identity + "due_at, attempts, " + request + ") SELECT " + given + "clock_timestamp(), 0, ?, ?, ?"
                + absent + " ON CONFLICT DO NOTHING";
        this.keepsAnswers = place.answers != Answers.NOWHERE;
        this.settle = settle(place, dayText, false);
        this.refuse = settle(place, dayText, true);
        this.look = look(place, dayText);
    }

    private static String settle(Place place, String day, boolean refused) {
        String columns = (day.isEmpty() ? "" : "day, ") + "scope, producer, key, fingerprint";
        String values = (day.isEmpty() ? "" : day + ", ") + "scope, producer, key, fingerprint";
        String gone = "WITH gone AS (DELETE FROM hapax.claim WHERE scope = ? AND producer = ? AND key = ? AND token = ?"
                + " RETURNING scope, producer, key, fingerprint)";
        String mark = " INSERT INTO " + place.markers + " (" + columns;
        String refusal = refused ? ", '" + Known.REFUSAL + "'" : "";
        Long outcomeDay = place.outcomeDay;
        if (place.answers == Answers.IN_THE_MARKER) {
            return gone + mark + ", answer_type, answer) SELECT " + values + ", ?, ? FROM gone";
        }
        String kept = outcomeDay == null
                ? ""
                : ", kept AS (INSERT INTO " + Partitions.table(place.outcomes, outcomeDay)
                        + " (day, scope, producer, key, type, body) SELECT DATE '" + Days.iso(outcomeDay)
                        + "', scope, producer, key, ?, ? FROM gone)";
        return gone + kept + mark + (refused ? ", answer_type" : "") + ") SELECT " + values + refusal + " FROM gone";
    }

    private static String look(Place place, String day) {
        String same = ".scope = k.scope AND %1$s.producer = k.producer AND %1$s.key = k.key";
        return "SELECT m.scope IS NOT NULL, m.answer_type, m.fingerprint, coalesce(o.type, m.answer_type),"
                + " coalesce(o.body, m.answer), coalesce(o.kept_at, m.applied_at),"
                + " c.token, c.attempts, c.owner, c.fingerprint, c.doubt_since, c.last_error,"
                + " CASE WHEN isfinite(c.due_at) THEN CAST(extract(epoch FROM c.due_at - clock_timestamp()) * 1000 AS bigint) END,"
                + " c.answer_type IS NOT NULL OR c.refusal IS NOT NULL, c.claimed_at"
                + " FROM (SELECT CAST(? AS int) AS scope, CAST(? AS int) AS producer, CAST(? AS text) COLLATE \"C\" AS key) k"
                + " LEFT JOIN " + place.markers + " m ON m" + same.formatted("m")
                + " LEFT JOIN hapax." + place.outcomes + " o ON o" + same.formatted("o")
                + (day.isEmpty() ? "" : " AND o.day = " + day)
                + " LEFT JOIN hapax.claim c ON c" + same.formatted("c");
    }

    /** @param outcomeDay where an answer lies that is kept by itself; null if there is no such day */
    static ClaimSql of(Marker marker, @Nullable Long outcomeDay) {
        // Asked for each claim: a text remembers its hash, a record makes it anew.
        Object key = isAnswerInside(marker) ? marker.tableOrTimeless().name : place(marker, outcomeDay);
        ClaimSql known = KNOWN.get(key);
        if (known != null) {
            return known;
        }
        if (KNOWN.size() >= KNOWN_MAX) {
            // Days go by; those that are used come back.
            KNOWN.clear();
        }
        return KNOWN.computeIfAbsent(key, k -> new ClaimSql(place(marker, outcomeDay)));
    }

    private static Place place(Marker marker, @Nullable Long outcomeDay) {
        Answers answers =
                isAnswerInside(marker) ? Answers.IN_THE_MARKER : outcomeDay == null ? Answers.NOWHERE : Answers.APART;
        return new Place(
                marker.tableOrTimeless().name,
                marker.isTimeless() ? Days.NONE : marker.day(),
                marker.scope().outcomes(),
                outcomeDay,
                answers);
    }

    /** Whether the answer goes as its marker goes. */
    static boolean isAnswerInside(Marker marker) {
        return !marker.isTimeless()
                && marker.scope().outcomeDays() == marker.scope().markerDays();
    }
}
