package dev.hapax.testkit.proof;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** What can be told from a statement's text. Safe for use by many threads. */
final class SqlText {

    private static final Pattern COMMENTS = Pattern.compile("(?s)/\\*.*?\\*/|--[^\n]*");
    private static final Pattern WRITES = Pattern.compile(
            "(INSERT|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|TRUNCATE|COPY|CALL|DO|REFRESH|PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED)\\b.*");
    private static final Pattern WRITES_INSIDE =
            Pattern.compile(".*(\\b(INSERT|UPDATE|DELETE|MERGE)\\b|\\bHAPAX\\.\\w+ ?\\(|\\b(NEXTVAL|SETVAL) ?\\().*");
    private static final int LABEL_MAX = 70;
    private static final int KNOWN_MAX = 10_000;

    private static final Map<String, SqlText> KNOWN = new ConcurrentHashMap<>();

    private final boolean writes;
    private final String label;
    private final String what;

    private SqlText(String sql, Pattern alsoWrites) {
        String flat = COMMENTS.matcher(sql).replaceAll(" ").strip().replaceAll("\\s+", " ");
        String upper = flat.toUpperCase(Locale.ROOT);
        this.writes = WRITES.matcher(upper).matches()
                || ((upper.startsWith("SELECT") || upper.startsWith("WITH"))
                        && WRITES_INSIDE.matcher(withoutLocks(upper)).matches())
                || alsoWrites.matcher(flat).find();
        this.what = flat.replaceAll("_[0-9]{8}\\b", "").replaceAll("'[0-9-]{10}'", "'…'");
        this.label = what.length() <= LABEL_MAX ? what : what.substring(0, LABEL_MAX) + "…";
    }

    static SqlText of(String sql, Pattern alsoWrites) {
        String key = alsoWrites.pattern() + "\n" + sql;
        SqlText known = KNOWN.get(key);
        if (known == null) {
            known = new SqlText(sql, alsoWrites);
            if (KNOWN.size() < KNOWN_MAX) {
                KNOWN.put(key, known);
            }
        }
        return known;
    }

    /** Locking rows writes nothing that lasts. */
    private static String withoutLocks(String upper) {
        return upper.replaceAll("FOR (NO KEY )?UPDATE", "");
    }

    boolean writes() {
        return writes;
    }

    String label() {
        return label;
    }

    /** The whole statement, without what changes from day to day. */
    String what() {
        return what;
    }
}
