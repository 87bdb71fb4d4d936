package dev.hapax.internal.once;

import dev.hapax.Key;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Connections;
import dev.hapax.internal.SqlFaults;
import dev.hapax.once.Adoption;
import dev.hapax.once.Verdict;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Marks what a query finds: batches of operations whose effect is to do nothing. */
final class AdoptionCall implements Adoption {

    private static final int BATCH = 1_000;

    private final OnceEngine engine;
    private final String scope;
    private final int waitSeconds;
    private @Nullable String producer;

    AdoptionCall(OnceEngine engine, String scope, int waitSeconds) {
        this.engine = engine;
        this.scope = Checks.name("scope", scope);
        this.waitSeconds = waitSeconds;
    }

    @Override
    public Adoption producer(String name) {
        producer = Checks.name("producer", name);
        return this;
    }

    /** What is done with one batch. */
    @FunctionalInterface
    private interface Step {
        List<Verdict> run(List<Key> keys) throws SQLException;
    }

    @Override
    public Adopted from(String query) {
        return read(query, keys -> batch(keys).run((fresh, tx) -> {}));
    }

    @Override
    public Adopted preview(String query) {
        return read(query, keys -> {
            try (Connection connection = engine.connections().borrow()) {
                boolean before = Connections.begin(connection);
                try {
                    return batch(keys).on(connection).run((fresh, tx) -> {});
                } finally {
                    connection.rollback();
                    Connections.end(connection, before);
                }
            }
        });
    }

    private BatchCall<Key> batch(List<Key> keys) {
        return new BatchCall<>(engine, keys, key -> key, new OnceSpec(waitSeconds)).forAdoption();
    }

    private Adopted read(String query, Step step) {
        Map<Verdict, Long> counts = new EnumMap<>(Verdict.class);
        try {
            // In a transaction, so that the driver fetches the rows bit by bit.
            engine.connections().inTransaction(connection -> {
                try (PreparedStatement select = connection.prepareStatement(query)) {
                    select.setFetchSize(BATCH);
                    try (ResultSet row = select.executeQuery()) {
                        read(row, step, counts);
                    }
                }
                return counts;
            });
        } catch (SQLException e) {
            throw SqlFaults.translate(
                    "not all keys of scope " + scope + " could be adopted; those before are marked, run it again", e);
        }
        return new Adopted(
                counts.getOrDefault(Verdict.APPLIED, 0L),
                counts.getOrDefault(Verdict.REPLAYED, 0L),
                counts.getOrDefault(Verdict.TOO_LATE, 0L),
                counts.getOrDefault(Verdict.TOO_EARLY, 0L));
    }

    private void read(ResultSet row, Step step, Map<Verdict, Long> counts) throws SQLException {
        boolean timed = row.getMetaData().getColumnCount() > 1;
        List<Key> keys = new ArrayList<>(BATCH);
        while (row.next()) {
            keys.add(key(row, timed));
            if (keys.size() == BATCH) {
                step.run(keys).forEach(verdict -> counts.merge(verdict, 1L, Long::sum));
                keys.clear();
            }
        }
        if (!keys.isEmpty()) {
            step.run(keys).forEach(verdict -> counts.merge(verdict, 1L, Long::sum));
        }
    }

    private Key key(ResultSet row, boolean timed) throws SQLException {
        String id = row.getString(1);
        Checks.that(id != null, "the query found a row whose key is null; leave such rows out");
        Key key = Key.of(scope, id);
        OffsetDateTime time = timed ? row.getObject(2, OffsetDateTime.class) : null;
        if (time != null) {
            key = key.at(time.toInstant());
        }
        return producer == null ? key : key.producer(producer);
    }
}
