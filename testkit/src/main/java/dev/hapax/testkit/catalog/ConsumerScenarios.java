package dev.hapax.testkit.catalog;

import dev.hapax.Hapax;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.testkit.proof.Operation;
import dev.hapax.testkit.proof.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Messages, from the operation that publishes them to the effects of their consumers. */
final class ConsumerScenarios {

    private static final String TOPIC = "orders";
    private static final String HANDLED =
            "CREATE TABLE handled (nth bigserial, message_key text NOT NULL, id text NOT NULL)";
    private static final String ACCOUNT = "CREATE TABLE account (id text PRIMARY KEY, orders int NOT NULL)";
    private static final String COUNT = "SELECT id, count(*) FROM handled GROUP BY id";
    private static final String ORDER = "SELECT message_key, id FROM handled ORDER BY nth";
    private static final Duration BACKOFF = Duration.ofMillis(1);

    private ConsumerScenarios() {}

    static List<Scenario<?>> all() {
        return List.of(effect(), publishes(), fails(), poison(), chain(), past(), delayed(), gap(), split());
    }

    private static Scenario<Hapax> scenario(String name) {
        return Scenario.of(name, OnceScenarios::open)
                .tables(HANDLED, ACCOUNT)
                .counts("billing", TOPIC, COUNT)
                .inOrder(ORDER);
    }

    /** Publishes an operation's message, which names the operation. The row that it changes gives the messages of a key their order. */
    private static void publish(Hapax hapax, Operation operation, String messageKey) throws SQLException {
        hapax.once(OnceScenarios.key(operation)).run(tx -> {
            account(tx.connection(), messageKey);
            tx.publish(TOPIC, messageKey, operation.id());
        });
    }

    private static void account(Connection connection, String messageKey) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement("INSERT INTO account (id, orders) VALUES (?, 1)"
                + " ON CONFLICT (id) DO UPDATE SET orders = account.orders + 1")) {
            upsert.setString(1, messageKey);
            upsert.executeUpdate();
        }
    }

    private static void handled(Connection connection, String messageKey, String id) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO handled (message_key, id) VALUES (?, ?)")) {
            insert.setString(1, messageKey);
            insert.setString(2, id);
            insert.executeUpdate();
        }
    }

    private static ConsumerBuilder billing(Hapax hapax) {
        return hapax.consumer("billing").topic(TOPIC).backoff(BACKOFF, BACKOFF);
    }

    /** The plainest one: three messages of two keys, and a row for each. */
    static Scenario<Hapax> effect() {
        return scenario("consumer-effect")
                .operations(3, (hapax, operation) -> publish(hapax, operation, "key-" + operation.nth() % 2))
                .consumer(hapax -> billing(hapax)
                        .handle(
                                String.class,
                                (id, tx) ->
                                        handled(tx.connection(), tx.message().messageKey(), id)));
    }

    /** Each message makes another one, which a second consumer handles. */
    static Scenario<Hapax> publishes() {
        return scenario("consumer-publishes")
                .tables("CREATE TABLE shipped (id text NOT NULL)")
                .counts("shipped", "SELECT id, count(*) FROM shipped GROUP BY id")
                .operations(2, (hapax, operation) -> publish(hapax, operation, operation.id()))
                .consumer(hapax -> billing(hapax).handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    tx.publish("billed", id, id);
                }))
                .consumer(hapax -> hapax.consumer("shipping")
                        .topic("billed")
                        .backoff(BACKOFF, BACKOFF)
                        .handle(String.class, (id, tx) -> shipped(tx.connection(), id)));
    }

    private static void shipped(Connection connection, String id) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO shipped (id) VALUES (?)")) {
            insert.setString(1, id);
            insert.executeUpdate();
        }
    }

    /** The first message fails once, after it has written something, then goes well. */
    static Scenario<Hapax> fails() {
        return scenario("consumer-fails-once")
                .operations(2, (hapax, operation) -> publish(hapax, operation, "key-" + operation.nth()))
                .consumer(hapax -> billing(hapax).handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    if (id.equals("op-1") && tx.message().attempt() == 1) {
                        throw new IllegalStateException("the first try fails");
                    }
                }));
    }

    /** The first message always fails, and is set aside. */
    static Scenario<Hapax> poison() {
        return scenario("consumer-poison")
                .operations(2, (hapax, operation) -> publish(hapax, operation, "key-" + operation.nth()))
                .expecting(operation -> operation.nth() == 1 ? 0 : 1)
                .consumer(hapax -> billing(hapax).quarantineAfter(3).handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    if (id.equals("op-1")) {
                        throw new IllegalStateException("it always fails");
                    }
                }))
                .invariant("what can't be handled is set aside", ConsumerScenarios::setAside);
    }

    private static List<String> setAside(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                        "SELECT count(*) FROM hapax.held WHERE key = 'op-1' AND state = 'QUARANTINED'");
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getInt(1) == 1 ? List.of() : List.of("op-1 is set aside " + row.getInt(1) + " times");
        }
    }

    /** The first message of a key fails once: the two behind it wait, and follow in order. */
    static Scenario<Hapax> chain() {
        return scenario("consumer-held-chain")
                .operations(3, (hapax, operation) -> publish(hapax, operation, "key"))
                .consumer(hapax -> billing(hapax).handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    if (id.equals("op-1") && tx.message().attempt() == 1) {
                        throw new IllegalStateException("the first try fails");
                    }
                }));
    }

    /** As before, but later messages don't wait: each once, in whatever order. */
    static Scenario<Hapax> past() {
        return Scenario.of("consumer-continues-past", OnceScenarios::open)
                .tables(HANDLED, ACCOUNT)
                .counts("billing", TOPIC, COUNT)
                .operations(2, (hapax, operation) -> publish(hapax, operation, "key"))
                .consumer(hapax -> billing(hapax).continuePastFailures().handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    if (id.equals("op-1") && tx.message().attempt() == 1) {
                        throw new IllegalStateException("the first try fails");
                    }
                }));
    }

    /** Messages that are due later enter the log once. */
    static Scenario<Hapax> delayed() {
        return scenario("consumer-delayed")
                .operations(
                        2,
                        (hapax, operation) -> hapax.once(OnceScenarios.key(operation))
                                .run(tx -> tx.publishAt(
                                        Instant.now().plusSeconds(3600), TOPIC, operation.id(), operation.id())))
                .background(Hapax::housekeep)
                .consumer(hapax -> billing(hapax)
                        .handle(
                                String.class,
                                (id, tx) ->
                                        handled(tx.connection(), tx.message().messageKey(), id)));
    }

    /** A number that was drawn and never used: the reader must give the gap up, and lose nothing. */
    static Scenario<Hapax> gap() {
        return scenario("consumer-gap")
                .tables("CREATE TABLE doomed (id text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
                .operations(2, (hapax, operation) -> {
                    if (operation.attempt() == 1) {
                        abandon(hapax, operation);
                    }
                    publish(hapax, operation, "key");
                })
                .consumer(hapax -> billing(hapax)
                        .handle(
                                String.class,
                                (id, tx) ->
                                        handled(tx.connection(), tx.message().messageKey(), id)));
    }

    /** A transaction that publishes and then fails at its commit. */
    private static void abandon(Hapax hapax, Operation operation) {
        try {
            hapax.once(OnceScenarios.key(operation)).run(tx -> {
                try (PreparedStatement insert =
                        tx.connection().prepareStatement("INSERT INTO doomed (id) VALUES ('one'), ('one')")) {
                    insert.executeUpdate();
                }
                tx.publish(TOPIC, "key", operation.id());
            });
        } catch (SQLException | dev.hapax.StoreException e) {
            if (!String.valueOf(e.getMessage()).contains("doomed")) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** A batch in which the second of three fails: the one before it is committed without it, the one behind goes on. */
    static Scenario<Hapax> split() {
        return scenario("consumer-batch-split")
                .operations(3, (hapax, operation) -> publish(hapax, operation, "key-" + operation.nth()))
                .expecting(operation -> operation.nth() == 2 ? 0 : 1)
                // A death while a message is tried alone is a try: with fewer tries than faults a good one would be set
                // aside.
                .consumer(hapax -> billing(hapax).quarantineAfter(3).handle(String.class, (id, tx) -> {
                    handled(tx.connection(), tx.message().messageKey(), id);
                    if (id.equals("op-2")) {
                        throw new IllegalStateException("it always fails");
                    }
                }));
    }
}
