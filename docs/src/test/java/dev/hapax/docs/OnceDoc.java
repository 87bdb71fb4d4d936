package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.ConflictException;
import dev.hapax.Hapax;
import dev.hapax.HapaxException;
import dev.hapax.InProgressException;
import dev.hapax.Key;
import dev.hapax.KeyReusedException;
import dev.hapax.RetryException;
import dev.hapax.once.Result;
import dev.hapax.once.Verdict;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OnceDoc {

    private final Orders orders = new Orders();
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

    @Test
    void keys() {
        Instant placedAt = Instant.now().minus(Duration.ofHours(1));
        // tag::keys[]
        Key made = Key.generate("orders.place"); // a UUIDv7: it carries its time
        Key told = Key.of("orders.place", made.id()); // the same key, from what the client sent
        Key dated = Key.of("orders.place", "A-17").at(placedAt); // a time that every retry repeats
        Key timeless = Key.of("orders.place", "A-17"); // remembered for ever
        Key others = Key.of("orders.place", "A-17").producer("web-shop"); // made by another service
        Key part = made.child("confirmation"); // the same parent and name: the same child, always
        // end::keys[]
        assertThat(told).isEqualTo(made);
        assertThat(dated.time()).isPresent();
        assertThat(timeless.time()).isEmpty();
        assertThat(others.producer()).hasValue("web-shop");
        assertThat(part.time()).isEqualTo(made.time());
    }

    @Test
    void without_an_answer() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        // tag::run[]
        Verdict verdict =
                hapax.once(Key.of("orders.place", order.id())).run(tx -> orders.insert(tx.connection(), order));
        // end::run[]
        assertThat(verdict).isEqualTo(Verdict.APPLIED);
    }

    @Test
    void with_an_answer() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        for (int repeat = 0; repeat < 2; repeat++) {
            // tag::call[]
            Result<Receipt> result = hapax.once(Key.of("orders.place", order.id()), Receipt.class)
                    .call(tx -> {
                        orders.insert(tx.connection(), order);
                        return new Receipt(order.id());
                    });
            // end::call[]
            // tag::answer[]
            String told = result.isApplied() ? "new: " : "seen before: ";
            told += result.kept().map(Receipt::order).orElse("its answer is no longer kept");
            // end::answer[]
            assertThat(told).startsWith(repeat == 0 ? "new: " : "seen before: ").endsWith(order.id());
        }
        assertThat(shop.orders()).isEqualTo(1);
    }

    @Test
    void one_statement() throws SQLException {
        String movement = Key.generate("stock.take").id();
        // tag::statement[]
        Result<Long> rows = hapax.once(Key.of("stock.take", movement))
                .statement("UPDATE stock SET quantity = quantity - ? FROM once WHERE code = ?", 3, "4711");
        // end::statement[]
        assertThat(rows).isEqualTo(new Result.Applied<>(1L));
        Result<Long> again = hapax.once(Key.of("stock.take", movement))
                .statement("UPDATE stock SET quantity = quantity - ? FROM once WHERE code = ?", 3, "4711");
        assertThat(again.isApplied()).isFalse();
        assertThat(shop.database.queryLong("SELECT quantity FROM stock WHERE code = '4711'"))
                .isEqualTo(7);
    }

    @Test
    void many_at_a_time() throws SQLException {
        Order seen = ShopDatabase.newOrder("anna");
        hapax.once(Key.of("orders.place", seen.id())).run(tx -> orders.insert(tx.connection(), seen));
        List<Order> file = List.of(seen, ShopDatabase.newOrder("anna"), ShopDatabase.newOrder("bert"));
        // tag::all[]
        List<Verdict> verdicts = hapax.onceAll(file, order -> Key.of("orders.place", order.id()))
                .matching(order -> order)
                .run((fresh, tx) -> {
                    orders.insertAll(tx.connection(), fresh);
                    for (Order order : fresh) {
                        tx.of(Key.of("orders.place", order.id()))
                                .publish("orders.placed", order.customer(), OrderPlaced.of(order));
                    }
                });
        // end::all[]
        assertThat(verdicts).containsExactly(Verdict.REPLAYED, Verdict.APPLIED, Verdict.APPLIED);
        assertThat(shop.orders()).isEqualTo(3);
    }

    @Test
    void another_request_under_the_same_key() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        Order changed = new Order(order.id(), order.customer(), order.total().negate());
        Key key = Key.of("orders.place", order.id());
        // tag::matching[]
        hapax.once(key).matching(order).run(tx -> orders.insert(tx.connection(), order));

        assertThatThrownBy(() -> hapax.once(key).matching(changed).run(tx -> orders.insert(tx.connection(), changed)))
                .isInstanceOf(KeyReusedException.class);
        // end::matching[]
        assertThat(shop.orders()).isEqualTo(1);
    }

    @Test
    void a_repeat_while_the_first_is_at_work() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        Key key = Key.of("orders.place", order.id());
        hapax.once(key).run(outer -> {
            assertThatThrownBy(() -> {
                        // tag::wait[]
                        hapax.once(key)
                                .waitUpTo(Duration.ofSeconds(2)) // instead of the service's 30 seconds
                                .run(tx -> orders.insert(tx.connection(), order));
                        // end::wait[]
                    })
                    .isInstanceOf(InProgressException.class);
            assertThatThrownBy(() -> {
                        // tag::refuse[]
                        hapax.once(key)
                                .refuseIfInProgress() // InProgressException at once
                                .run(tx -> orders.insert(tx.connection(), order));
                        // end::refuse[]
                    })
                    .isInstanceOf(InProgressException.class);
        });
        assertThat(shop.orders()).isZero();
    }

    @Test
    void what_to_do_about_errors() throws SQLException {
        Order order = ShopDatabase.newOrder("anna");
        assertThat(answer(order)).isEqualTo(200);
        assertThat(answer(new Order(order.id(), "bert", order.total()))).isEqualTo(409);
    }

    // tag::errors[]
    int answer(Order order) throws SQLException {
        try {
            hapax.once(Key.of("orders.place", order.id()))
                    .matching(order)
                    .run(tx -> orders.insert(tx.connection(), order));
            return 200;
        } catch (RetryException e) {
            return 503; // nobody knows: the client tries again with the same key
        } catch (ConflictException e) {
            return 409; // reused, in progress, too late, too early: e.code() says which
        } catch (HapaxException e) {
            throw e; // the store, the schema or stored data: a person must look
        }
    }
    // end::errors[]
}
