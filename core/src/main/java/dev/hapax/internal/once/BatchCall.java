package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.SystemSource;
import dev.hapax.once.BatchEffect;
import dev.hapax.once.OnceAll;
import dev.hapax.once.Verdict;
import dev.hapax.spi.Metrics.Ending;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Many operations in one transaction. All markers of one partition are written by one statement, sorted, and partitions in the order of
 * their names, so that two batches that share keys wait for each other and can't deadlock.
 */
final class BatchCall<T> implements OnceAll<T> {

    private final OnceEngine engine;
    private final List<T> items;
    private final List<Key> keys;
    private final OnceSpec spec;
    private @Nullable Function<? super T, ?> request;
    private boolean adopting;

    /** Whether each key is looked up, and not taken for new until that fails. */
    private boolean looksUp;

    BatchCall(OnceEngine engine, List<T> items, Function<? super T, Key> key, OnceSpec spec) {
        Checks.range("the number of operations in a batch", items.size(), 1, SIZE_MAX);
        this.engine = engine;
        this.items = List.copyOf(items);
        this.keys = this.items.stream().<Key>map(key).toList();
        this.spec = spec;
    }

    @Override
    public OnceAll<T> matching(Function<? super T, ?> requestOf) {
        this.request = requestOf;
        return this;
    }

    /** For effects that are there: a pause doesn't concern them, and they are not counted as applied. */
    BatchCall<T> forAdoption() {
        adopting = true;
        return this;
    }

    @Override
    public OnceAll<T> on(Connection connection) {
        spec.join(connection);
        return this;
    }

    @Override
    public OnceAll<T> waitUpTo(Duration time) {
        spec.waitSeconds = OnceSpec.waitSeconds(time);
        return this;
    }

    @Override
    public <E extends Exception> List<Verdict> run(BatchEffect<T, E> effect) throws E {
        Key first = keys.getFirst();
        List<byte @Nullable []> fingerprints = fingerprints();
        if (!adopting) {
            for (String scope : scopes()) {
                engine.checkPaused(scope, first);
            }
        }
        try {
            Connection joined = spec.joined;
            Verdict[] verdicts = joined == null
                    ? engine.retried(first, () -> own(fingerprints, effect))
                    : inside(joined, resolve(fingerprints), effect);
            if (!adopting) {
                count(verdicts);
            }
            return List.of(verdicts);
        } catch (SQLException e) {
            RuntimeException told = OnceEngine.translateJoined(first, e);
            count(told);
            throw told;
        } catch (OnceEngine.EffectFailure e) {
            count(e);
            throw OnceEngine.<RuntimeException>asThrown(e.effect);
        } catch (RuntimeException | Error e) {
            count(e);
            throw e;
        }
    }

    /** All of the batch ends as it does. */
    private void count(Throwable failure) {
        if (!adopting) {
            Ending ending = OnceEngine.ending(failure);
            keys.forEach(key -> engine.metrics().once(key.scope(), ending, 1));
        }
    }

    /** Writes the markers alone. */
    List<Verdict> mark(Connection connection) throws SQLException {
        return List.of(mark(connection, resolve(fingerprints())));
    }

    private List<byte @Nullable []> fingerprints() {
        List<byte @Nullable []> fingerprints = new ArrayList<>(items.size());
        for (T item : items) {
            fingerprints.add(request == null ? null : Fingerprints.of(engine.shared.codec(), request.apply(item)));
        }
        return fingerprints;
    }

    private Set<String> scopes() {
        Set<String> scopes = new HashSet<>();
        keys.forEach(key -> scopes.add(key.scope()));
        return scopes;
    }

    /** A batch that was taken for all new holds a key that was seen. Its transaction is over, and is done again, with that in mind. */
    private static final class UnexpectedRepeat extends SQLException {

        private static final long serialVersionUID = 1L;

        private UnexpectedRepeat(SQLException cause) {
            super("a key was seen before; all are to be looked up", SqlFaults.SERIALIZATION_FAILURE, cause);
        }
    }

    private <E extends Exception> Verdict[] own(List<byte @Nullable []> fingerprints, BatchEffect<T, E> effect)
            throws SQLException {
        engine.shared.log().prepare();
        Placed placed = resolve(fingerprints);
        try {
            return transaction(placed, effect);
        } catch (UnexpectedRepeat e) {
            looksUp = true;
            return transaction(placed, effect);
        }
    }

    private <E extends Exception> Verdict[] transaction(Placed placed, BatchEffect<T, E> effect) throws SQLException {
        try (Connection connection = engine.connections().borrow()) {
            boolean before = Connections.begin(connection);
            try {
                return inside(connection, placed, effect);
            } catch (Throwable failure) {
                Connections.rollback(connection, failure);
                throw failure;
            } finally {
                Connections.end(connection, before);
            }
        }
    }

    private <E extends Exception> Verdict[] inside(Connection connection, Placed placed, BatchEffect<T, E> effect)
            throws SQLException {
        return OnceEngine.guarded(spec.joined, () -> {
            Verdict[] verdicts = mark(connection, placed);
            List<T> fresh = new ArrayList<>(items.size());
            for (int i = 0; i < verdicts.length; i++) {
                if (verdicts[i] == Verdict.APPLIED) {
                    fresh.add(items.get(i));
                }
            }
            ActiveTransaction tx = new ActiveTransaction(connection, engine.shared);
            if (!fresh.isEmpty()) {
                OnceEngine.effect(() -> {
                    effect.apply(fresh, tx);
                    return fresh;
                });
            }
            engine.flush(tx, spec.joined == null);
            return verdicts;
        });
    }

    /** One operation on its way to its table. */
    private record Row(int index, Marker marker, byte @Nullable [] fingerprint) implements Comparable<Row> {

        /** By scope, producer and key: the order in which all batches take their locks. */
        @Override
        public int compareTo(Row other) {
            int order =
                    Integer.compare(marker.scope().id(), other.marker.scope().id());
            if (order == 0) {
                order = Integer.compare(marker.producer(), other.marker.producer());
            }
            if (order == 0) {
                order = marker.key().id().compareTo(other.marker.key().id());
            }
            return order == 0 ? Integer.compare(index, other.index) : order;
        }

        /** Whether both are of one key. */
        boolean isRepeatOf(Row other) {
            return marker.producer() == other.marker.producer()
                    && marker.scope().id() == other.marker.scope().id()
                    && marker.key().id().equals(other.marker.key().id());
        }

        /** Whether one statement without fingerprints can write both. */
        boolean isLike(Row other) {
            return fingerprint == null
                    && marker.producer() == other.marker.producer()
                    && marker.scope().id() == other.marker.scope().id();
        }
    }

    /** What tells markers of one table apart. */
    private record Id(int scope, int producer, String key) {

        static Id of(Marker marker) {
            return new Id(marker.scope().id(), marker.producer(), marker.key().id());
        }
    }

    /**
     * Where the operations lie.
     *
     * @param verdicts of those that lie nowhere; null for the others
     */
    private record Placed(Verdict[] verdicts, Map<String, List<Row>> byTable) {}

    private Placed resolve(List<byte @Nullable []> fingerprints) throws SQLException {
        Verdict[] verdicts = new Verdict[items.size()];
        Map<String, List<Row>> byTable = new TreeMap<>();
        for (int i = 0; i < verdicts.length; i++) {
            try {
                Marker marker = engine.markers.resolve(keys.get(i));
                byTable.computeIfAbsent(marker.tableOrTimeless().name, t -> new ArrayList<>())
                        .add(new Row(i, marker, fingerprints.get(i)));
            } catch (TooLateException e) {
                verdicts[i] = Verdict.TOO_LATE;
            } catch (TooEarlyException e) {
                verdicts[i] = Verdict.TOO_EARLY;
            }
        }
        for (List<Row> rows : byTable.values()) {
            rows.sort(Row::compareTo);
        }
        return new Placed(verdicts, byTable);
    }

    private Verdict[] mark(Connection connection, Placed placed) throws SQLException {
        Verdict[] verdicts = placed.verdicts.clone();
        for (List<Row> rows : placed.byTable.values()) {
            mark(connection, rows, verdicts);
        }
        return verdicts;
    }

    private void mark(Connection connection, List<Row> sorted, Verdict[] verdicts) throws SQLException {
        List<Row> distinct = new ArrayList<>(sorted.size());
        for (Row row : sorted) {
            if (distinct.isEmpty() || !row.isRepeatOf(distinct.getLast())) {
                distinct.add(row);
            }
        }
        Fresh fresh = insert(connection, distinct);
        List<Row> seen = new ArrayList<>();
        Row first = null;
        boolean isFresh = false;
        for (Row row : sorted) {
            if (first == null || !row.isRepeatOf(first)) {
                first = row;
                isFresh = fresh.has(row.marker());
                verdicts[row.index()] = isFresh ? Verdict.APPLIED : Verdict.REPLAYED;
            } else {
                // A repeat inside the batch is held against the one that is applied now.
                verdicts[row.index()] =
                        isFresh && isConflict(row, first.fingerprint()) ? Verdict.CONFLICTING : Verdict.REPLAYED;
            }
            if (!isFresh && row.fingerprint() != null) {
                seen.add(row);
            }
        }
        if (!seen.isEmpty()) {
            compare(connection, seen, verdicts);
        }
    }

    private static boolean isConflict(Row row, byte @Nullable [] stored) {
        return row.fingerprint() != null && Fingerprints.differ(row.fingerprint(), stored);
    }

    /** The markers that a statement has written: usually all, and then nobody asks which. */
    private record Fresh(@Nullable Set<Id> some) {

        boolean has(Marker marker) {
            return some == null || some.contains(Id.of(marker));
        }
    }

    private Fresh insert(Connection connection, List<Row> rows) throws SQLException {
        Marker first = rows.getFirst().marker();
        long since = SystemSource.INSTANCE.nanos();
        boolean allNew = isTakenForNew(rows);
        try {
            Fresh fresh = insert(connection, rows, allNew);
            if (fresh.some() == null) {
                engine.recentRepeats.notMet(first.scope().id());
            } else {
                engine.recentRepeats.met(first.scope().id());
            }
            return fresh;
        } catch (SQLException e) {
            if (allNew && SqlFaults.isUniqueViolation(e)) {
                engine.recentRepeats.met(first.scope().id());
                throw new UnexpectedRepeat(e);
            }
            if (SqlFaults.isUndefinedTable(e)) {
                engine.markers.forget(first);
            }
            if (SqlFaults.isWaitedTooLong(e)) {
                throw OnceEngine.inProgress(
                        first.key(), "(or another of its batch) it was waited for " + spec.waitSeconds + " s");
            }
            throw e;
        } finally {
            engine.metrics().markerNanos(first.scope().name(), SystemSource.INSTANCE.nanos() - since);
        }
    }

    /**
     * ON CONFLICT makes each row in two steps and twice as dear. Where no repeat is expected, the batch is inserted as it is: the index refuses a key that was seen just the same, with all of the batch. Not in a caller's
     * transaction, which would be lost with it; and one key alone costs too little to take the risk.
     */
    private boolean isTakenForNew(List<Row> rows) {
        return !looksUp
                && !adopting
                && spec.joined == null
                && rows.size() > 1
                && !engine.recentRepeats.areExpected(
                        rows.getFirst().marker().scope().id());
    }

    private Fresh insert(Connection connection, List<Row> rows, boolean allNew) throws SQLException {
        Marker first = rows.getFirst().marker();
        MarkerTable table = first.tableOrTimeless();
        boolean alike = rows.stream().allMatch(row -> row.isLike(rows.getFirst()));
        String sql = alike
                ? allNew ? table.insertAlikeNew : table.insertAlike
                : allNew ? table.insertAllNew : table.insertAll;
        try (PreparedStatement insert = connection.prepareStatement(sql)) {
            if (alike) {
                insert.setInt(1, first.scope().id());
                insert.setInt(2, first.producer());
                insert.setArray(3, keys(connection, rows));
            } else {
                bind(connection, insert, rows);
                insert.setArray(
                        4,
                        connection.createArrayOf(
                                "bytea", rows.stream().map(Row::fingerprint).toArray(byte[][]::new)));
            }
            try (var watch = engine.connections().deadlines().watch(insert, spec.waitSeconds)) {
                insert.execute();
            }
            return allNew ? new Fresh(null) : fresh(insert, rows.size(), alike ? first : null);
        }
    }

    /**
     * Reads the one row that an INSERT answers: how many are new, and which, as arrays. The arrays are not decoded where all are.
     *
     * @param alike one of the batch, if all are of its scope and producer; only the keys are told then
     */
    private static Fresh fresh(PreparedStatement insert, int all, @Nullable Marker alike) throws SQLException {
        try (ResultSet row = insert.getResultSet()) {
            row.next();
            int count = row.getInt(1);
            if (count == all) {
                return new Fresh(null);
            }
            Set<Id> some = new HashSet<>(count * 2);
            if (count > 0 && alike == null) {
                readAll(row, some);
            } else if (count > 0 && alike != null) {
                for (String key : (String[]) row.getArray(2).getArray()) {
                    some.add(new Id(alike.scope().id(), alike.producer(), key));
                }
            }
            return new Fresh(some);
        }
    }

    private static void readAll(ResultSet row, Set<Id> into) throws SQLException {
        Integer[] scopes = (Integer[]) row.getArray(2).getArray();
        Integer[] producers = (Integer[]) row.getArray(3).getArray();
        String[] keys = (String[]) row.getArray(4).getArray();
        for (int i = 0; i < keys.length; i++) {
            into.add(new Id(scopes[i], producers[i], keys[i]));
        }
    }

    private static Array keys(Connection connection, List<Row> rows) throws SQLException {
        return connection.createArrayOf(
                "text", rows.stream().map(row -> row.marker().key().id()).toArray());
    }

    private static void bind(Connection connection, PreparedStatement statement, List<Row> rows) throws SQLException {
        statement.setArray(
                1,
                connection.createArrayOf(
                        "int4", rows.stream().map(r -> r.marker().scope().id()).toArray()));
        statement.setArray(
                2,
                connection.createArrayOf(
                        "int4", rows.stream().map(r -> r.marker().producer()).toArray()));
        statement.setArray(3, keys(connection, rows));
    }

    /** Finds those among the seen whose request was another. */
    private void compare(Connection connection, List<Row> seen, Verdict[] verdicts) throws SQLException {
        Map<Id, byte[]> stored = new HashMap<>();
        try (PreparedStatement select =
                connection.prepareStatement(seen.getFirst().marker().tableOrTimeless().findAll)) {
            bind(connection, select, seen);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    byte[] fingerprint = row.getBytes(4);
                    if (fingerprint != null) {
                        stored.put(new Id(row.getInt(1), row.getInt(2), row.getString(3)), fingerprint);
                    }
                }
            }
        }
        for (Row row : seen) {
            if (isConflict(row, stored.get(Id.of(row.marker())))) {
                verdicts[row.index()] = Verdict.CONFLICTING;
            }
        }
    }

    private void count(Verdict[] verdicts) {
        Map<String, EnumMap<Verdict, Integer>> counts = new HashMap<>();
        for (int i = 0; i < verdicts.length; i++) {
            counts.computeIfAbsent(keys.get(i).scope(), s -> new EnumMap<>(Verdict.class))
                    .merge(verdicts[i], 1, Integer::sum);
        }
        counts.forEach((scope, byVerdict) ->
                byVerdict.forEach((verdict, n) -> engine.metrics().once(scope, ending(verdict), n)));
    }

    private static Ending ending(Verdict verdict) {
        return switch (verdict) {
            case APPLIED -> Ending.APPLIED;
            case REPLAYED -> Ending.REPLAYED;
            case CONFLICTING -> Ending.CONFLICTING;
            case TOO_LATE -> Ending.LATE;
            case TOO_EARLY -> Ending.EARLY;
        };
    }
}
