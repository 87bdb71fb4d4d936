package dev.hapax.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Key;
import dev.hapax.Shop;
import dev.hapax.once.Verdict;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Everything is delivered ten times, shuffled, alone and in batches, beside fresh work. What it costs fresh work is measured by the benchmark {@code redelivery-storm}. */
class RedeliveryStormTest {

    private static final int OPERATIONS = 400;
    private static final int DELIVERIES = 10;
    private static final int BATCH = 50;
    private static final long SEED = 20_261_124;

    @Test
    void what_is_delivered_ten_times_takes_effect_once() throws Exception {
        try (Shop shop = Shop.open()) {
            List<Integer> deliveries = shuffled();
            int half = deliveries.size() / 2;
            AtomicInteger applied = new AtomicInteger();
            List<CompletableFuture<?>> deliverers = new ArrayList<>();
            for (int part = 0; part < 3; part++) {
                List<Integer> alone = everyThird(deliveries.subList(0, half), part);
                List<Integer> batched = everyThird(deliveries.subList(half, deliveries.size()), part);
                deliverers.add(Shop.async(() -> deliverAlone(shop, alone, applied)));
                deliverers.add(Shop.async(() -> deliverInBatches(shop, batched, applied)));
            }
            int fresh = 200;
            for (int i = 0; i < fresh; i++) {
                Key key = Shop.newKey();
                shop.hapax.once(key).run(tx -> Shop.effect(tx.connection(), "fresh"));
            }
            CompletableFuture.allOf(deliverers.toArray(CompletableFuture[]::new))
                    .get(100, TimeUnit.SECONDS);

            assertThat(applied).hasValue(OPERATIONS);
            assertThat(shop.effects("fresh")).isEqualTo(fresh);
            assertThat(shop.database.queryLong("SELECT count(*) FROM effect WHERE id LIKE 'storm-%'"))
                    .isEqualTo(OPERATIONS);
            assertThat(shop.database.queryLong("SELECT count(DISTINCT id) FROM effect WHERE id LIKE 'storm-%'"))
                    .isEqualTo(OPERATIONS);
        }
    }

    private static List<Integer> shuffled() {
        List<Integer> deliveries = new ArrayList<>();
        for (int i = 0; i < OPERATIONS * DELIVERIES; i++) {
            deliveries.add(i % OPERATIONS);
        }
        Collections.shuffle(deliveries, new Random(SEED));
        return deliveries;
    }

    private static List<Integer> everyThird(List<Integer> all, int part) {
        List<Integer> some = new ArrayList<>();
        for (int i = part; i < all.size(); i += 3) {
            some.add(all.get(i));
        }
        return some;
    }

    private static Key key(int number) {
        return Key.of("orders", "storm-" + number);
    }

    private static int deliverAlone(Shop shop, List<Integer> numbers, AtomicInteger applied) throws SQLException {
        for (int number : numbers) {
            Verdict verdict = shop.hapax
                    .once(key(number))
                    .run(tx -> Shop.effect(tx.connection(), key(number).id()));
            applied.addAndGet(verdict == Verdict.APPLIED ? 1 : 0);
        }
        return numbers.size();
    }

    private static int deliverInBatches(Shop shop, List<Integer> numbers, AtomicInteger applied) throws SQLException {
        for (int from = 0; from < numbers.size(); from += BATCH) {
            List<Integer> batch = numbers.subList(from, Math.min(numbers.size(), from + BATCH));
            List<Verdict> verdicts = shop.hapax
                    .onceAll(batch, RedeliveryStormTest::key)
                    .run((fresh, tx) -> {
                        try (PreparedStatement insert =
                                tx.connection().prepareStatement("INSERT INTO effect (id, amount) VALUES (?, 1)")) {
                            for (int number : fresh) {
                                insert.setString(1, key(number).id());
                                insert.addBatch();
                            }
                            insert.executeBatch();
                        }
                    });
            applied.addAndGet(Collections.frequency(verdicts, Verdict.APPLIED));
        }
        return numbers.size();
    }
}
