package dev.hapax.internal.claim;

import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.claim.Claims;
import dev.hapax.internal.Checks;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import dev.hapax.spi.Encoded;
import dev.hapax.spi.Metrics.Claiming;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Claims as rows, for operators. Safe for use by many threads. */
public final class StoredClaims implements Claims {

    private static final int LIST_MAX = 10_000;

    /**
     * Since when it is in doubt; null if it is not. Whoever owns a claim has begun a call, so one whose owner has let the lease end is in doubt too, though there was nobody left to write that.
     */
    static final String DOUBT_SINCE =
            "coalesce(c.doubt_since, CASE WHEN c.owner IS NOT NULL AND c.due_at <= clock_timestamp() THEN c.due_at END)";

    /** Every lease of which ended by itself has no owner any more, whatever its row says. */
    private static final String SELECT = "SELECT s.name, p.name, c.key, c.key_time, " + DOUBT_SINCE
            + " IS NOT NULL, c.claimed_at,"
            + " CASE WHEN c.due_at > clock_timestamp() THEN c.owner END, c.attempts, " + DOUBT_SINCE + ", c.last_error,"
            + " c.request_type IS NOT NULL, c.answer_type IS NOT NULL, c.refusal IS NOT NULL,"
            + " CASE WHEN isfinite(c.due_at) THEN CAST(extract(epoch FROM clock_timestamp() - c.due_at) * 1000 AS bigint) END"
            + " FROM hapax.claim c JOIN hapax.scope s ON s.id = c.scope JOIN hapax.producer p ON p.id = c.producer";

    private static final String WHICH = " WHERE scope = (SELECT id FROM hapax.scope WHERE name = ?)"
            + " AND producer = (SELECT id FROM hapax.producer WHERE name = ?) AND key = ?";

    private final ClaimEngine engine;
    private final Settlements settlements;

    StoredClaims(ClaimEngine engine) {
        this.engine = engine;
        this.settlements = engine.settlements;
    }

    /** What a person says. */
    private record Verdict(Key key, Known known, Ruling ruling) {

        Decision decision() {
            return known.isRefusal() ? Decision.REFUSE : Decision.SETTLE;
        }

        @Nullable
        String type() {
            Encoded answer = known.answer();
            return answer == null ? null : answer.type();
        }

        byte @Nullable [] body() {
            Encoded answer = known.answer();
            return answer == null ? null : answer.body();
        }
    }

    @Override
    public List<Claimed> list(Set<State> states, int limit) {
        return list("", states, limit, select -> {});
    }

    @Override
    public List<Claimed> list(String scope, Set<State> states, int limit) {
        Checks.name("scope", scope);
        return list(" AND s.name = ?", states, limit, select -> select.setString(2, scope));
    }

    private List<Claimed> list(String more, Set<State> states, int limit, Binding binding) {
        Checks.range("limit", limit, 1, LIST_MAX);
        String sql = SELECT
                + " WHERE CASE WHEN " + DOUBT_SINCE
                + " IS NULL THEN 'CLAIMED' ELSE 'IN_DOUBT' END = ANY (CAST(? AS text[]))"
                + more + " ORDER BY 9 NULLS LAST, c.claimed_at LIMIT " + limit;
        return read(sql, select -> {
            Object[] names = states.stream().map(State::name).toArray();
            select.setArray(1, select.getConnection().createArrayOf("text", names));
            binding.bind(select);
        });
    }

    @Override
    public Optional<Claimed> find(Key key) {
        Key full = settlements.withProducer(key);
        return read(SELECT + " WHERE s.name = ? AND p.name = ? AND c.key = ?", select -> {
                    select.setString(1, full.scope());
                    select.setString(2, full.producer().orElseThrow());
                    select.setString(3, full.id());
                })
                .stream()
                .findFirst();
    }

    @Override
    public List<Claimed> find(String scope, String id) {
        return read(SELECT + " WHERE s.name = ? AND c.key = ?", select -> {
            select.setString(1, scope);
            select.setString(2, id);
        });
    }

    /** Binds the parameters of a question. */
    @FunctionalInterface
    private interface Binding {
        void bind(PreparedStatement select) throws SQLException;
    }

    private List<Claimed> read(String sql, Binding binding) {
        return look("claims can't be read", connection -> {
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                binding.bind(select);
                List<Claimed> found = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        found.add(claimed(row));
                    }
                }
                return found;
            }
        });
    }

    private Claimed claimed(ResultSet row) throws SQLException {
        Key key = settlements.asGiven(Key.of(row.getString(1), row.getString(3)), row.getString(2));
        var time = ClaimStore.instant(row, 4);
        Optional<Decision> decided = row.getBoolean(12)
                ? Optional.of(Decision.SETTLE)
                : row.getBoolean(13) ? Optional.of(Decision.REFUSE) : Optional.empty();
        return new Claimed(
                time == null ? key : key.at(time),
                row.getBoolean(5) ? State.IN_DOUBT : State.CLAIMED,
                row.getObject(6, OffsetDateTime.class).toInstant(),
                new Progress(
                        Optional.ofNullable(row.getString(7)),
                        row.getInt(8),
                        Optional.ofNullable(ClaimStore.instant(row, 9)),
                        Optional.ofNullable(row.getString(10)),
                        row.getBoolean(11),
                        decided),
                Optional.ofNullable(row.getObject(14, Long.class)).map(Duration::ofMillis));
    }

    @Override
    public List<Decided> decisions(Key key) {
        Key full = settlements.withProducer(key);
        return look("decisions can't be read", connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT decision, reason, decided_by, decided_at FROM hapax.claim_decision"
                            + " WHERE scope = ? AND producer = ? AND key = ? ORDER BY id")) {
                bind(select, 1, full);
                List<Decided> found = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        found.add(new Decided(
                                key,
                                Decision.valueOf(row.getString(1)),
                                row.getString(2),
                                row.getString(3),
                                row.getObject(4, OffsetDateTime.class).toInstant()));
                    }
                }
                return found;
            }
        });
    }

    @Override
    public boolean settle(Key key, String type, byte[] answer, Ruling ruling) {
        Checks.id("type", type);
        return decide(
                new Verdict(settlements.withProducer(key), Known.done(new Encoded(type, answer.clone())), ruling));
    }

    @Override
    public boolean refuse(Key key, Ruling ruling) {
        return decide(new Verdict(settlements.withProducer(key), Known.refused(ruling.reason()), ruling));
    }

    private boolean decide(Verdict verdict) {
        return settlements.retried(
                verdict.key, () -> settlements.connections().inTransaction(connection -> decide(connection, verdict)));
    }

    /** The row is locked first, so that two persons who decide at once do it one after the other. */
    private boolean decide(Connection connection, Verdict verdict) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT answer_type IS NOT NULL OR refusal IS NOT NULL, owner IS NOT NULL AND due_at > clock_timestamp(), owner"
                        + " FROM hapax.claim" + WHICH + " FOR UPDATE")) {
            bind(select, 1, verdict.key);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    refuseUnlessSaid(connection, verdict);
                    return false;
                }
                if (row.getBoolean(1) && verdict.ruling.hasEffects() && isSaid(connection, verdict)) {
                    return false;
                }
                if (row.getBoolean(2)) {
                    throw new InProgressException(
                            verdict.key,
                            "key " + verdict.key + " is being worked on at this moment by " + row.getString(3)
                                    + "; nothing was decided. Wait until its call has ended");
                }
            }
        }
        note(connection, verdict);
        Held held = mark(connection, verdict);
        if (!verdict.ruling.hasEffects()) {
            settleHere(connection, held, verdict);
        }
        return true;
    }

    /** It is not in flight: then this must be what was said before. */
    private void refuseUnlessSaid(Connection connection, Verdict verdict) throws SQLException {
        if (!isSaid(connection, verdict)) {
            throw new IllegalStateException(
                    "key " + verdict.key
                            + " is not in flight: it is settled already, otherwise than is said now, or was never claimed. Nothing was decided");
        }
    }

    /** Whether the last decision was the same. */
    private static boolean isSaid(Connection connection, Verdict verdict) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT decision = ? AND answer_type IS NOT DISTINCT FROM ?"
                        + " AND answer_hash IS NOT DISTINCT FROM sha256(CAST(? AS bytea)) AND reason = ? FROM hapax.claim_decision"
                        + " WHERE scope = ? AND producer = ? AND key = ? ORDER BY id DESC LIMIT 1")) {
            select.setString(1, verdict.decision().name());
            select.setString(2, verdict.type());
            select.setBytes(3, verdict.body());
            select.setString(4, verdict.ruling.reason());
            bind(select, 5, verdict.key);
            try (ResultSet row = select.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    private static void note(Connection connection, Verdict verdict) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO hapax.claim_decision (decision, answer_type, answer_hash, reason, decided_by, scope, producer, key)"
                        + " VALUES (?, ?, sha256(CAST(? AS bytea)), ?, ?, ?, ?, ?)")) {
            insert.setString(1, verdict.decision().name());
            insert.setString(2, verdict.type());
            insert.setBytes(3, verdict.body());
            insert.setString(4, verdict.ruling.reason());
            insert.setString(5, verdict.ruling.by());
            bind(insert, 6, verdict.key);
            insert.executeUpdate();
        }
    }

    /** Writes what is known on the claim, takes it from whoever had it, and lets it be taken up at once. */
    private Held mark(Connection connection, Verdict verdict) throws SQLException {
        Encoded answer = verdict.known.answer();
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hapax.claim SET answer_type = ?, answer = ?, refusal = ?, owner = NULL,"
                        + " token = nextval('hapax.claim_token'), due_at = clock_timestamp()"
                        + WHICH + " RETURNING scope, producer, key_time, token, claimed_at, doubt_since")) {
            update.setString(1, answer == null ? null : answer.type());
            update.setBytes(2, answer == null ? null : answer.body());
            update.setString(3, verdict.known.refusal());
            bind(update, 4, verdict.key);
            try (ResultSet row = update.executeQuery()) {
                row.next();
                var time = ClaimStore.instant(row, 3);
                Key key = time == null ? verdict.key : verdict.key.at(time);
                Marker marker = settlements.placeAtEnd(key);
                Held held = new Held(
                        new Held.Identity(key, row.getInt(1), row.getInt(2), marker),
                        row.getLong(4),
                        0,
                        new Held.Told(row.getObject(5, OffsetDateTime.class).toInstant(), null, null));
                held.state = ClaimState.of(ClaimStore.instant(row, 6));
                return held;
            }
        }
    }

    private void settleHere(Connection connection, Held held, Verdict verdict) throws SQLException {
        Marker marker = held.marker;
        if (marker != null && engine.store.look(connection, marker).ended() != null) {
            // Applied by once meanwhile: there is nothing left to settle.
            engine.store.release(connection, held);
        } else if (engine.store.settle(connection, held, verdict.known)) {
            settlements
                    .metrics()
                    .claim(held.key.scope(), verdict.known.isRefusal() ? Claiming.REFUSED : Claiming.SETTLED);
        }
    }

    @Override
    public boolean probe(Key key) {
        Key full = settlements.withProducer(key);
        boolean done = look("the claim can't be changed", connection -> {
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE hapax.claim SET due_at = clock_timestamp()" + WHICH
                            + " AND request_type IS NOT NULL AND (owner IS NULL OR due_at <= clock_timestamp())")) {
                bind(update, 1, full);
                return update.executeUpdate() == 1;
            }
        });
        if (!done) {
            find(full).map(Claimed::progress).ifPresent(progress -> {
                if (!progress.stored() && progress.owner().isEmpty()) {
                    throw new IllegalStateException(
                            "what key " + full
                                    + " asks for is not stored, so no worker can take it up: its next caller does, at once. Nothing was changed; settle or refuse it if there will be none");
                }
            });
        }
        return done;
    }

    private static void bind(PreparedStatement statement, int from, Key key) throws SQLException {
        statement.setString(from, key.scope());
        statement.setString(from + 1, key.producer().orElseThrow());
        statement.setString(from + 2, key.id());
    }

    /** A look at the database, or one statement that changes it. */
    @FunctionalInterface
    private interface Look<T> {
        T at(Connection connection) throws SQLException;
    }

    private <T> T look(String failure, Look<T> look) {
        try {
            return settlements.connections().autoCommit(look::at);
        } catch (SQLException e) {
            throw SqlFaults.translate(failure, e);
        }
    }
}
