package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.TooLateException;
import dev.hapax.Transaction;
import dev.hapax.claim.Call;
import dev.hapax.claim.CallPolicy;
import dev.hapax.claim.Probe;
import dev.hapax.internal.claim.ClaimStore.Intent;
import dev.hapax.internal.once.Marker;
import dev.hapax.internal.once.Settlements;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the database what was called while it could not be reached: each entry becomes a claim that is settled at once, or is in doubt and asked about; and a row to be reconciled. An entry that a crash lets be told twice changes
 * nothing the second time. Used by one thread.
 */
final class OutageFolder<R, T> {

    private static final Logger LOG = LoggerFactory.getLogger(OutageFolder.class);
    private static final String NOTE =
            "INSERT INTO hapax.claim_outage (entry, called_at, scope, producer, key, node, ending, folded)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

    private final KindSettings<R, T> settings;
    private final ClaimEngine engine;
    private final Outage<R, T> outage;

    OutageFolder(KindSettings<R, T> settings, Outage<R, T> outage) {
        this.settings = settings;
        this.engine = settings.engine;
        this.outage = outage;
    }

    /** Folds in what has ended; returns how many. */
    int fold() throws IOException, SQLException {
        int folded = 0;
        outage.up();
        for (OutageJournal.Entry entry : outage.journal().entries()) {
            if (!outage.isRunning(entry.call().key()) && fold(entry)) {
                outage.journal().folded(entry.id());
                folded++;
            }
        }
        if (folded > 0) {
            LOG.info(
                    "{} calls of {} that were made while the database could not be reached are folded in; reconcile them: hapax.claim_outage",
                    folded,
                    settings.scope);
        }
        return folded;
    }

    /** What became of an entry, in the words of {@code hapax.claim_outage}. */
    private enum Folded {
        SETTLED,
        REFUSED,
        IN_DOUBT,
        SEEN,
        CONFLICTING,
        TOO_LATE
    }

    private boolean fold(OutageJournal.Entry entry) throws SQLException {
        Key key = entry.call().key();
        Marker marker;
        try {
            marker = engine.settlements.place(key);
        } catch (TooLateException e) {
            return noted(entry, Folded.TOO_LATE);
        }
        String owner = engine.newOwner();
        long lease = settings.policy.lease().toMillis();
        Intent intent = new Intent(
                key, owner, lease, entry.call().fingerprint(), entry.call().request());
        Optional<Held> held = engine.settlements
                .connections()
                .autoCommit(connection -> engine.store.begin(connection, marker, intent));
        if (held.isEmpty()) {
            Look look = engine.settler.look(key, marker);
            Look.Ended ended = look.ended();
            Look.Row row = look.row();
            byte[] stored = ended != null ? ended.fingerprint() : row != null ? row.fingerprint() : null;
            try {
                Settlements.checkSame(key, entry.call().fingerprint(), stored);
            } catch (KeyReusedException e) {
                return noted(entry, Folded.CONFLICTING);
            }
            if (ended != null) {
                return noted(entry, Folded.SEEN);
            }
            held = engine.settlements
                    .connections()
                    .autoCommit(connection -> engine.taking.take(connection, marker, owner, lease));
        }
        // Somebody is at it: the next round finds how that ended.
        return held.isPresent() && bringIn(held.get(), entry);
    }

    private boolean bringIn(Held held, OutageJournal.Entry entry) throws SQLException {
        Known known = entry.known();
        if (known == null) {
            held.mayCall = false;
            held.uncertain = true;
            held.lastError = "called while the database could not be reached, without an answer";
            engine.settlements.connections().autoCommit(connection -> engine.store.putOff(connection, held, 0L));
            return noted(entry, Folded.IN_DOUBT);
        }
        engine.settler.settle(held, known, new Noting(KindHandler.of(settings, held), entry), null);
        return true;
    }

    private boolean noted(OutageJournal.Entry entry, Folded folded) throws SQLException {
        engine.settlements.connections().autoCommit(connection -> {
            note(connection, entry, folded);
            return folded;
        });
        return true;
    }

    private void note(Connection connection, OutageJournal.Entry entry, Folded folded) throws SQLException {
        Key key = entry.call().key();
        try (PreparedStatement insert = connection.prepareStatement(NOTE)) {
            insert.setObject(1, entry.id());
            insert.setObject(2, OffsetDateTime.ofInstant(entry.calledAt(), ZoneOffset.UTC));
            insert.setString(3, key.scope());
            insert.setString(4, key.producer().orElseThrow());
            insert.setString(5, key.id());
            insert.setString(6, engine.node());
            insert.setString(
                    7, entry.known() == null ? "UNKNOWN" : entry.state().name());
            insert.setString(8, folded.name());
            insert.executeUpdate();
        }
    }

    /** The kind's own effects, and the row for reconciliation, in one commit. */
    private final class Noting implements ClaimHandler<T> {

        private final KindHandler<R, T> kind;
        private final OutageJournal.Entry entry;

        private Noting(KindHandler<R, T> kind, OutageJournal.Entry entry) {
            this.kind = kind;
            this.entry = entry;
        }

        @Override
        public Class<T> type() {
            return kind.type();
        }

        @Override
        public CallPolicy policy() {
            return kind.policy();
        }

        @Override
        public T perform(Call call) throws Exception {
            return kind.perform(call);
        }

        @Override
        public boolean canAsk() {
            return kind.canAsk();
        }

        @Override
        public Probe<T> ask(Call call) throws Exception {
            return kind.ask(call);
        }

        @Override
        public boolean hasEffects(Known known) {
            return true;
        }

        @Override
        public void settling(T answer, Transaction tx) throws Exception {
            note(tx.connection(), entry, Folded.SETTLED);
            kind.settling(answer, tx);
        }

        @Override
        public void refusing(String reason, Transaction tx) throws Exception {
            note(tx.connection(), entry, Folded.REFUSED);
            kind.refusing(reason, tx);
        }
    }
}
