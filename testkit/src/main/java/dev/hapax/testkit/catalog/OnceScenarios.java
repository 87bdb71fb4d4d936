package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.Scope;
import dev.hapax.TooLateException;
import dev.hapax.once.Verdict;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;

/** One operation, in every way in which {@code once} is called. */
final class OnceScenarios {

    private static final String EFFECT = "CREATE TABLE effect (nth bigserial, id text NOT NULL, amount int NOT NULL)";
    private static final Duration THREE_DAYS = Duration.ofDays(3);
    private static final String COUNT = "SELECT id, count(*) FROM effect GROUP BY id";

    private OnceScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(
                plain("once-plain", OnceScenarios::key),
                value(),
                matching(),
                statement(),
                joined(),
                batch(),
                publish(),
                atOnce(),
                late("once-late", false));
    }

    static Hapax open(Node node) {
        return Hapax.on(node.dataSource())
                .name("shop")
                .housekeeping(false)
                .attempts(3)
                .open();
    }

    static Key key(Operation operation) {
        return Key.of("orders", operation.id()).at(operation.time());
    }

    static void effect(Connection connection, String id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO effect (id, amount) VALUES (?, 1)")) {
            insert.setString(1, id);
            insert.executeUpdate();
        }
    }

    private static Scenario<Hapax> scenario(String name) {
        return Scenario.of(name, OnceScenarios::open).tables(EFFECT).counts("effect", COUNT);
    }

    static Scenario<Hapax> plain(String name, Function<Operation, Key> key) {
        return scenario(name)
                .operations(
                        1,
                        (hapax, operation) ->
                                hapax.once(key.apply(operation)).run(tx -> effect(tx.connection(), operation.id())));
    }

    static Scenario<Hapax> value() {
        return scenario("once-value").operations(1, (hapax, operation) -> {
            var result = hapax.once(key(operation), String.class).call(tx -> {
                effect(tx.connection(), operation.id());
                return "receipt of " + operation.id();
            });
            String answer = result.value();
            if (!answer.equals("receipt of " + operation.id())) {
                throw new IllegalStateException("another answer than the first one: " + answer);
            }
        });
    }

    static Scenario<Hapax> matching() {
        return scenario("once-matching")
                .operations(
                        1,
                        (hapax, operation) -> hapax.once(key(operation))
                                .matching("request " + operation.id())
                                .run(tx -> effect(tx.connection(), operation.id())));
    }

    static Scenario<Hapax> statement() {
        return scenario("once-statement")
                .operations(
                        1,
                        (hapax, operation) -> hapax.once(key(operation))
                                .statement("INSERT INTO effect (id, amount) SELECT ?, 1 FROM once", operation.id()));
    }

    /** The caller's own transaction, with a statement of its own beside the operation. */
    static Scenario<Joining> joined() {
        return Scenario.of("once-joined", Joining::new)
                .tables(EFFECT, "CREATE TABLE request (id text PRIMARY KEY)")
                .counts("effect", COUNT)
                .counts("request", "SELECT id, count(*) FROM request GROUP BY id")
                .operations(1, Joining::apply);
    }

    static final class Joining implements AutoCloseable {

        private final Node node;
        private final Hapax hapax;

        private Joining(Node node) {
            this.node = node;
            this.hapax = open(node);
        }

        private void apply(Operation operation) throws SQLException {
            try (Connection connection = node.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                try (PreparedStatement insert =
                        connection.prepareStatement("INSERT INTO request (id) VALUES (?) ON CONFLICT DO NOTHING")) {
                    insert.setString(1, operation.id());
                    insert.executeUpdate();
                }
                Verdict verdict =
                        hapax.once(key(operation)).on(connection).run(tx -> effect(tx.connection(), operation.id()));
                if (verdict == Verdict.APPLIED || verdict == Verdict.REPLAYED) {
                    connection.commit();
                }
            }
        }

        @Override
        public void close() {
            hapax.close();
        }
    }

    /** Three operations in one transaction, two of them sent before by themselves. */
    static Scenario<Hapax> batch() {
        return scenario("once-batch").operations(2, (hapax, operation) -> {
            List<String> ids = operation.nth() % 2 == 1
                    ? List.of(operation.id())
                    : List.of("op-" + (operation.nth() - 1), operation.id(), operation.id());
            hapax.onceAll(ids, id -> Key.of("orders", id).at(operation.time())).run((fresh, tx) -> {
                for (String id : fresh) {
                    effect(tx.connection(), id);
                }
            });
        });
    }

    static Scenario<Hapax> publish() {
        return scenario("once-publish")
                .operations(
                        1,
                        (hapax, operation) -> hapax.once(key(operation)).run(tx -> {
                            effect(tx.connection(), operation.id());
                            tx.publish("orders", operation.id(), "ordered");
                            tx.publish("orders", "all", "ordered");
                        }))
                .counts("log", "SELECT key, count(*) / 2 FROM hapax.log GROUP BY key")
                .invariant("messages commit with their effect", connection -> log(connection));
    }

    private static List<String> log(Connection connection) throws SQLException {
        try (PreparedStatement select =
                        connection.prepareStatement("SELECT key FROM hapax.log GROUP BY key HAVING count(*) <> 2");
                var row = select.executeQuery()) {
            return row.next() ? List.of(row.getString(1) + " does not have two messages") : List.of();
        }
    }

    static Scenario<Hapax> atOnce() {
        return scenario("once-without-waiting")
                .operations(
                        1,
                        (hapax, operation) -> hapax.once(key(operation))
                                .refuseIfInProgress()
                                .run(tx -> effect(tx.connection(), operation.id())));
    }

    /**
     * Applied three days ago, and sent once more when its window of two days is over: then it must be refused.
     *
     * @param byArrival whether the key's time is, wrongly, that of its arrival
     */
    static Scenario<Late> late(String name, boolean byArrival) {
        return Scenario.of(name, Late::new)
                .tables(EFFECT)
                .counts("effect", COUNT)
                .made(THREE_DAYS)
                .operations(1, (late, operation) -> late.apply(operation, byArrival))
                .mutated(byArrival ? "window check by arrival time" : "", Mutations.threeDaysBack());
    }

    static final class Late implements AutoCloseable {

        private final Node node;
        private final Hapax hapax;

        private Late(Node node) {
            this.node = node;
            this.hapax = Hapax.on(node.dataSource())
                    .name("shop")
                    .housekeeping(false)
                    .attempts(3)
                    .scope(Scope.of("short").remember(Duration.ofDays(2)).keepOutcomes(Duration.ofDays(1)))
                    .open();
        }

        private void apply(Operation operation, boolean byArrival) throws SQLException {
            Instant time = byArrival && node.isRedelivery() ? operation.time().plus(THREE_DAYS) : operation.time();
            try {
                hapax.once(Key.of("short", operation.id()).at(time)).run(tx -> effect(tx.connection(), operation.id()));
            } catch (TooLateException e) {
                if (!node.isRedelivery()) {
                    throw e;
                }
                // Refused, as it must be: nobody knows any more.
            }
        }

        @Override
        public void close() {
            hapax.close();
        }
    }
}
