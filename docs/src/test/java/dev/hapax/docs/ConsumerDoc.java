package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.consume.Consumer;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.Quarantine;
import dev.hapax.consume.Start;
import dev.hapax.control.Control;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConsumerDoc {

    private final Orders orders = new Orders();
    private final Ledger ledger = new Ledger();
    private ShopDatabase shop;
    private Hapax hapax;

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

    private Order place(String customer) throws SQLException {
        Order order = ShopDatabase.newOrder(customer);
        hapax.once(Key.of("orders.place", order.id())).run(tx -> {
            orders.insert(tx.connection(), order);
            tx.publish("orders.placed", order.customer(), OrderPlaced.of(order));
        });
        return order;
    }

    private ConsumerBuilder billing() {
        return hapax.consumer("billing")
                .topic("orders.placed")
                .handle(OrderPlaced.class, (placed, tx) -> ledger.insert(tx.connection(), placed));
    }

    @Test
    void publish_and_handle() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        // tag::publish[]
        hapax.once(Key.of("orders.place", order.id())).run(tx -> {
            orders.insert(tx.connection(), order);
            tx.publish("orders.placed", order.customer(), OrderPlaced.of(order));
        });
        // end::publish[]
        // tag::handle[]
        Consumer billing = hapax.consumer("billing")
                .topic("orders.placed")
                .handle(OrderPlaced.class, (placed, tx) -> {
                    ledger.insert(tx.connection(), placed);
                    tx.publish("invoices.open", placed.customer(), placed);
                })
                .start();
        // end::handle[]
        await().until(() -> shop.database.queryLong("SELECT count(*) FROM hapax.log") == 2);
        // tag::stop[]
        boolean ended = billing.stop(Duration.ofSeconds(20));
        // end::stop[]
        assertThat(ended).isTrue();
        assertThat(shop.ledger()).isEqualTo(1);
    }

    @Test
    void settings() throws SQLException {
        ConsumerBuilder builder = billing();
        // tag::settings[]
        builder.quarantineAfter(10)
                .backoff(Duration.ofMillis(500), Duration.ofMinutes(5))
                .concurrency(4)
                .batch(200);
        // end::settings[]
        place("anna");
        try (Consumer running = builder.start()) {
            await().until(() -> shop.ledger() == 1);
            assertThat(running.name()).isEqualTo("billing");
        }
    }

    @Test
    void a_new_consumer_starts_where_it_is_told_to() throws SQLException {
        Instant since = Instant.now().minus(Duration.ofDays(1));
        place("anna");
        // tag::start[]
        Consumer all = billing().startFrom(Start.BEGINNING).start(); // the default: the oldest that is still there
        // end::start[]
        await().until(() -> shop.ledger() == 1);
        all.close();
        ConsumerBuilder statistics =
                hapax.consumer("statistics").topic("orders.placed").handle(OrderPlaced.class, (placed, tx) -> {});
        // tag::start[]
        statistics.startFrom(Start.at(since)); // what entered the log from then on
        statistics.startFrom(Start.NOW); // what is published from now on
        // end::start[]
        try (Consumer running = statistics.start()) {
            await().until(() -> running.lag().messages() == 0);
        }
    }

    @Test
    void a_message_that_comes_later() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        Instant due = Instant.now().plusMillis(300);
        // tag::delay[]
        hapax.once(Key.of("orders.place", order.id())).run(tx -> {
            orders.insert(tx.connection(), order);
            tx.publishAt(due, "orders.placed", order.customer(), OrderPlaced.of(order));
        });
        // end::delay[]
        try (Consumer running = billing().start()) {
            await().until(() -> shop.ledger() == 1);
            assertThat(Instant.now()).isAfterOrEqualTo(due.minusMillis(50));
        }
    }

    @Test
    void messages_that_were_set_aside() throws SQLException {
        Set<String> refused = ConcurrentHashMap.newKeySet();
        refused.add("anna");
        try (Consumer running = hapax.consumer("billing")
                .topic("orders.placed")
                .quarantineAfter(2)
                .backoff(Duration.ofMillis(10), Duration.ofMillis(20))
                .handle(OrderPlaced.class, (placed, tx) -> {
                    if (refused.contains(placed.customer())) {
                        throw new IllegalStateException("no account");
                    }
                    ledger.insert(tx.connection(), placed);
                })
                .start()) {
            place("anna");
            place("anna");
            place("bert");
            await().until(() -> shop.ledger() == 1
                    && hapax.quarantine()
                                    .list("billing", Quarantine.State.WAITING, 10)
                                    .size()
                            == 1
                    && hapax.quarantine()
                                    .list("billing", Quarantine.State.QUARANTINED, 10)
                                    .size()
                            == 1);
            refused.clear();
            // tag::quarantine[]
            Quarantine quarantine = hapax.quarantine();
            List<Quarantine.Held> aside = quarantine.list("billing", Quarantine.State.QUARANTINED, 100);
            for (Quarantine.Held held : aside) {
                assertThat(held.attempts()).isEqualTo(2);
                assertThat(held.reason()).hasValue("java.lang.IllegalStateException: no account");
                quarantine.retry(held.id()); // or discard(id, "why its effect shall never be")
            }
            // end::quarantine[]
            await().until(() -> shop.ledger() == 3);
        }
    }

    @Test
    void pause_and_resume() throws SQLException {
        try (Consumer running = billing().start()) {
            // tag::pause[]
            hapax.control().pause(Control.Kind.CONSUMER, "billing", "wrong prices, ticket 4711", "anna");
            // end::pause[]
            assertThat(hapax.control().list()).hasSize(1);
            // tag::pause[]
            hapax.control().resume(Control.Kind.CONSUMER, "billing");
            // end::pause[]
            place("anna");
            await().until(() -> shop.ledger() == 1);
            // tag::lag[]
            Consumer.Lag lag = running.lag(); // of this process's lanes; measured about once a second
            // end::lag[]
            assertThat(lag.messages()).isNotNegative();
        }
    }

    @Test
    void one_business_event_in_two_messages() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        for (int message = 0; message < 2; message++) {
            hapax.once(Key.generate("orders.announce"))
                    .run(tx -> tx.publish("orders.placed", order.customer(), OrderPlaced.of(order)));
        }
        place("bert");
        try (Consumer running = hapax.consumer("billing")
                .topic("orders.placed")
                // tag::repeats[]
                .handle(
                        OrderPlaced.class,
                        (placed, tx) -> hapax.once(Key.of("ledger.book", placed.order()))
                                .on(tx.connection())
                                .run(booking -> ledger.insert(booking.connection(), placed)))
                // end::repeats[]
                .start()) {
            await().until(() -> shop.ledger() == 2 && running.lag().messages() == 0);
        }
        assertThat(shop.ledger()).isEqualTo(2);
    }
}
