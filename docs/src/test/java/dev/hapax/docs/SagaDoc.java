package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.claim.CallPolicy;
import dev.hapax.saga.SagaParallel;
import dev.hapax.saga.SagaResult;
import dev.hapax.saga.SagaRetry;
import dev.hapax.saga.SagaStepFailedException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SagaDoc {

    private static final Duration LONG = Duration.ofSeconds(30);

    private final Orders orders = new Orders();
    private final Stock stock = new Stock();
    private final Order order = ShopDatabase.newOrder("anna");
    private ShopDatabase shop;
    private Hapax hapax;

    /** What the examples take from and put back. */
    private static final class Stock {

        String take(java.sql.Connection connection, String code) throws SQLException {
            change(connection, code, -1);
            return code;
        }

        void putBack(java.sql.Connection connection, String code) throws SQLException {
            change(connection, code, 1);
        }

        private static void change(java.sql.Connection connection, String code, int by) throws SQLException {
            try (var update = connection.prepareStatement("UPDATE stock SET quantity = quantity + ? WHERE code = ?")) {
                update.setInt(1, by);
                update.setString(2, code);
                update.executeUpdate();
            }
        }
    }

    @BeforeEach
    void open() throws SQLException {
        shop = ShopDatabase.create();
        hapax = shop.service().open();
    }

    @AfterEach
    void close() {
        hapax.close();
        shop.close();
    }

    private long quantity() throws SQLException {
        return shop.database.queryLong("SELECT quantity FROM stock WHERE code = '4711'");
    }

    @Test
    void a_saga_and_its_start() throws SQLException {
        // tag::register[]
        hapax.saga("fulfil", Order.class).version(1).run((saga, placed) -> {
            String reserved = saga.step("reserve", String.class, tx -> stock.take(tx.connection(), "4711"))
                    .undo((code, tx) -> stock.putBack(tx.connection(), code))
                    .call();
            saga.step("book", tx -> orders.insert(tx.connection(), placed)).run();
            saga.step("announce", tx -> tx.publish("orders.fulfilled", placed.customer(), reserved))
                    .run();
        });
        // end::register[]
        // tag::start[]
        hapax.sagas().start("fulfil", Key.of("orders.fulfil", order.id()), order);
        // end::start[]
        // tag::await[]
        SagaResult<Void> result =
                hapax.sagas().await("fulfil", Key.of("orders.fulfil", order.id()), Void.class, Duration.ofSeconds(30));
        String told = switch (result) {
            case SagaResult.Completed<Void> done -> "on its way";
            case SagaResult.Compensated<Void> undone -> "not possible: " + undone.reason();
            case SagaResult.Cancelled<Void> cancelled -> "cancelled: " + cancelled.reason();
            case SagaResult.Stuck<Void> stuck -> "somebody looks after it";
            case SagaResult.InFlight<Void> going -> "not yet";
        };
        // end::await[]
        assertThat(told).isEqualTo("on its way");
        assertThat(quantity()).isEqualTo(9);
        assertThat(shop.orders()).isEqualTo(1);
    }

    @Test
    void another_way() throws SQLException {
        hapax.saga("fulfil", Order.class).run((saga, placed) -> {
            // tag::branch[]
            try {
                saga.step("by-drone", tx -> {
                            throw new IllegalArgumentException("too windy");
                        })
                        .retry(SagaRetry.attempts(3).unless(e -> e instanceof IllegalArgumentException))
                        .run();
            } catch (SagaStepFailedException failed) {
                saga.step("by-van", tx -> orders.insert(tx.connection(), placed))
                        .run();
            }
            // end::branch[]
        });
        assertThat(hapax.sagas().complete("fulfil", Key.of("orders.fulfil", order.id()), order, Void.class, LONG))
                .isInstanceOf(SagaResult.Completed.class);
        assertThat(shop.orders()).isEqualTo(1);
    }

    @Test
    void sleeping_and_waiting() throws SQLException {
        Key key = Key.of("orders.fulfil", order.id());
        hapax.saga("fulfil", Order.class).run((saga, placed) -> {
            saga.step("reserve", String.class, tx -> stock.take(tx.connection(), "4711"))
                    .undo((code, tx) -> stock.putBack(tx.connection(), code))
                    .call();
            // tag::wait[]
            saga.sleep("second-thoughts", Duration.ofMillis(10));
            Optional<String> payment = saga.waitFor("paid", String.class, Duration.ofDays(3));
            if (payment.isEmpty()) {
                throw new IllegalStateException("not paid in three days"); // what was done is undone
            }
            // end::wait[]
            saga.step("book", tx -> orders.insert(tx.connection(), placed)).run();
        });
        hapax.sagas().start("fulfil", key, order);
        // tag::signal[]
        hapax.once(Key.of("payments.receive", "P-1")).run(tx -> {
            hapax.sagas().signal(tx, "fulfil", key, "paid", "P-1");
        });
        // end::signal[]
        assertThat(hapax.sagas().await("fulfil", key, Void.class, LONG)).isInstanceOf(SagaResult.Completed.class);
        assertThat(shop.orders()).isEqualTo(1);
    }

    @Test
    void other_systems_children_and_branches() throws SQLException {
        FakeBank bank = new FakeBank();
        hapax.saga("deliver", Order.class)
                .call(
                        String.class,
                        (saga, placed) -> saga.step("pack", String.class, tx -> "parcel of " + placed.id())
                                .call());
        hapax.saga("fulfil", Order.class).run((saga, placed) -> {
            // tag::claim[]
            String charge = saga.claim(
                            "charge", String.class, call -> bank.charge(placed.total(), call.idempotencyKey()))
                    .policy(CallPolicy.idempotent())
                    .settling((answer, tx) -> orders.insert(tx.connection(), placed))
                    .undoneBy((answer, call) -> bank.refund(answer, call.idempotencyKey()))
                    .call();
            // end::claim[]
            // tag::child[]
            Optional<String> parcel = saga.child("delivery", "deliver", placed, String.class);
            // end::child[]
            // tag::parallel[]
            SagaParallel parallel = saga.parallel();
            Supplier<String> reserved = parallel.call(
                    "stock",
                    branch -> branch.step("reserve", String.class, tx -> stock.take(tx.connection(), "4711"))
                            .undo((code, tx) -> stock.putBack(tx.connection(), code))
                            .call());
            parallel.run(
                    "mail",
                    branch -> branch.step("thank", tx -> tx.publish("mails", placed.customer(), "thank you"))
                            .run());
            parallel.join();
            // end::parallel[]
            saga.step(
                            "announce",
                            tx -> tx.publish(
                                    "orders.fulfilled",
                                    placed.customer(),
                                    charge + parcel.orElseThrow() + reserved.get()))
                    .run();
        });
        assertThat(hapax.sagas().complete("fulfil", Key.of("orders.fulfil", order.id()), order, Void.class, LONG))
                .isInstanceOf(SagaResult.Completed.class);
        assertThat(shop.orders()).isEqualTo(1);
        assertThat(quantity()).isEqualTo(9);
        assertThat(bank.charges).isEqualTo(1);
        assertThat(bank.refunds).isEmpty();
    }

    /** Another system. */
    private static final class FakeBank {

        private final Map<String, String> refunds = new ConcurrentHashMap<>();
        private int charges;

        String charge(Object total, String idempotencyKey) {
            charges++;
            return "charge " + idempotencyKey + " of " + total;
        }

        void refund(String charge, String idempotencyKey) {
            refunds.put(idempotencyKey, charge);
        }
    }
}
