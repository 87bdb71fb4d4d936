package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.Mutation;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.twophase.Participant;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.postgresql.xa.PGXADataSource;

/** One operation over two databases of one server; effects and prepared transactions are counted in both. */
final class TwoPhaseScenarios {

    /** Nothing is left prepared once recovery has been there. */
    static final String NO_ORPHAN = "no prepared transaction is left";

    private static final String LEDGER = "ledger";
    private static final String EFFECT = "CREATE TABLE effect (nth bigserial, id text NOT NULL, amount int NOT NULL)";
    private static final String COUNT = "SELECT id, count(*) FROM effect GROUP BY id";
    private static final String FENCE = "INSERT INTO hapax.two_phase_";

    private TwoPhaseScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(plain());
    }

    static Scenario<Hapax> plain() {
        return scenario(UnaryOperator.identity());
    }

    private static Scenario<Hapax> scenario(UnaryOperator<Participant> wrong) {
        return Scenario.of("two-phase", node -> open(node, wrong))
                .tables(EFFECT)
                .beforeEach(TwoPhaseScenarios::prepare)
                .operations(1, (hapax, operation) -> {
                    hapax.participants().recover();
                    hapax.twoPhase(OnceScenarios.key(operation)).with(LEDGER).run((tx, branches) -> {
                        OnceScenarios.effect(tx.connection(), operation.id());
                        OnceScenarios.effect(branches.connection(LEDGER), operation.id());
                    });
                })
                .background(hapax -> hapax.participants().recover())
                .counts("effect", COUNT)
                .counts("the ledger's effect", TwoPhaseScenarios::inLedger)
                .invariant(NO_ORPHAN, TwoPhaseScenarios::orphans);
    }

    private static Hapax open(Node node, UnaryOperator<Participant> wrong) throws SQLException {
        PGXADataSource source = new PGXADataSource();
        try (Connection home = node.dataSource().getConnection()) {
            source.setUrl(ledgerUrl(home));
            source.setUser(EmbeddedDatabase.USER);
        }
        return Hapax.on(node.dataSource())
                .name("shop")
                .housekeeping(false)
                .attempts(3)
                .participant(LEDGER, wrong.apply(node.participant(Participant.of(source))))
                .open();
    }

    /** The second database belongs to the scenario's own. */
    private static String ledgerUrl(Connection home) throws SQLException {
        return home.getMetaData().getURL().replace("/" + home.getCatalog(), "/" + home.getCatalog() + "_" + LEDGER);
    }

    private static void prepare(Connection home) throws SQLException {
        String name = home.getCatalog() + "_" + LEDGER;
        try (Statement statement = home.createStatement()) {
            boolean there;
            try (ResultSet row =
                    statement.executeQuery("SELECT EXISTS (SELECT FROM pg_database WHERE datname = '" + name + "')")) {
                row.next();
                there = row.getBoolean(1);
            }
            if (!there) {
                statement.execute("CREATE DATABASE " + name);
            }
        }
        try (Connection ledger = DriverManager.getConnection(ledgerUrl(home), EmbeddedDatabase.USER, "");
                Statement statement = ledger.createStatement()) {
            try (ResultSet left =
                    statement.executeQuery("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")) {
                while (left.next()) {
                    try (Statement end = ledger.createStatement()) {
                        end.execute("ROLLBACK PREPARED '" + left.getString(1) + "'");
                    }
                }
            }
            statement.execute(EFFECT.replace("TABLE", "TABLE IF NOT EXISTS"));
            statement.execute("DELETE FROM effect");
        }
    }

    private static Map<String, Long> inLedger(Connection home) throws SQLException {
        try (Connection ledger = DriverManager.getConnection(ledgerUrl(home), EmbeddedDatabase.USER, "");
                Statement statement = ledger.createStatement();
                ResultSet row = statement.executeQuery(COUNT)) {
            Map<String, Long> counted = new HashMap<>();
            while (row.next()) {
                counted.put(row.getString(1), row.getLong(2));
            }
            return counted;
        }
    }

    private static List<String> orphans(Connection home) throws SQLException {
        try (PreparedStatement select = home.prepareStatement(
                "SELECT count(*) FROM pg_prepared_xacts WHERE database IN (current_database(), current_database() || '_ledger')")) {
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1) == 0 ? List.of() : List.of(row.getLong(1) + " are left in pg_prepared_xacts");
            }
        }
    }

    /** A mutant: a branch is committed as soon as it is prepared, before the home transaction. */
    static Scenario<Hapax> committedBeforeHome() {
        return scenario(real -> () -> new Eager(real.open()))
                .mutated("branches committed before the home", Mutation.NONE);
    }

    /** A mutant: recovery looks for the decision, finds none at the moment, and rolls back. */
    static Scenario<Hapax> rolledBackWithoutFence() {
        return plain().tables("CREATE TABLE unfenced (LIKE hapax.two_phase INCLUDING DEFAULTS)")
                .mutated("rolled back without a fence", new Mutation() {
                    @Override
                    public String rewrite(String sql, Node node) {
                        if (!sql.startsWith(FENCE)) {
                            return sql;
                        }
                        String values = sql.substring(sql.indexOf("VALUES (") + 8, sql.lastIndexOf(')'));
                        return "INSERT INTO unfenced (day, token, scope, producer, committed) SELECT * FROM (VALUES ("
                                + values.replaceFirst("\\?", "CAST(? AS uuid)").replace(" ?,", " CAST(? AS int),")
                                + ")) v (day, token, scope, producer, committed)"
                                + " WHERE NOT EXISTS (SELECT FROM hapax.two_phase t WHERE t.token = v.token)";
                    }
                });
    }

    /** A mutant: recovery commits whatever it finds prepared. */
    static Scenario<Hapax> committedWithoutAsking() {
        return plain().mutated("committed without asking", new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                if (sql.startsWith(FENCE)) {
                    return sql.replace(" ON CONFLICT DO NOTHING", "")
                                    .replace("VALUES (", "SELECT * FROM (VALUES (")
                                    .replaceFirst("\\?", "CAST(? AS uuid)")
                                    .replace(" ?,", " CAST(? AS int),")
                            + ") v WHERE false";
                }
                return sql.startsWith("SELECT committed FROM hapax.two_phase_")
                        ? "SELECT true WHERE CAST(? AS uuid) IS NOT NULL"
                        : sql;
            }
        });
    }

    /** Commits what it is told to prepare. */
    private record Eager(Participant.Session real, XAResource resource) implements Participant.Session {

        private Eager(Participant.Session real) {
            this(real, new EagerResource(real.resource()));
        }

        @Override
        public Object handle() {
            return real.handle();
        }

        @Override
        public void close() throws Exception {
            real.close();
        }
    }

    private record EagerResource(XAResource real) implements XAResource {

        @Override
        public int prepare(Xid xid) throws XAException {
            int prepared = real.prepare(xid);
            real.commit(xid, false);
            return prepared;
        }

        @Override
        public void commit(Xid xid, boolean onePhase) {
            // It is.
        }

        @Override
        public void rollback(Xid xid) throws XAException {
            try {
                real.rollback(xid);
            } catch (XAException e) {
                if (e.errorCode != XAException.XAER_NOTA) {
                    throw e;
                }
            }
        }

        @Override
        public void start(Xid xid, int flags) throws XAException {
            real.start(xid, flags);
        }

        @Override
        public void end(Xid xid, int flags) throws XAException {
            real.end(xid, flags);
        }

        @Override
        public void forget(Xid xid) throws XAException {
            real.forget(xid);
        }

        @Override
        public Xid[] recover(int flag) throws XAException {
            return real.recover(flag);
        }

        @Override
        public boolean isSameRM(XAResource other) throws XAException {
            return real.isSameRM(other);
        }

        @Override
        public int getTransactionTimeout() throws XAException {
            return real.getTransactionTimeout();
        }

        @Override
        public boolean setTransactionTimeout(int seconds) throws XAException {
            return real.setTransactionTimeout(seconds);
        }
    }
}
