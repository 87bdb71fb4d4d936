package dev.hapax.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real processes, killed and stopped from outside. Effects are counted in the target. */
@Tag("slow")
class ProcessCrashTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    private TestDatabase database;
    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeEach
    void open() {
        database = EmbeddedDatabase.shared().createDatabase();
        Shop.prepare(database);
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        database.close();
    }

    private ChildJvm start(String... arguments) {
        return start(List.of(), arguments);
    }

    private ChildJvm start(List<String> jvm, String... arguments) {
        List<String> all = new ArrayList<>(List.of(database.jdbcUrl()));
        all.addAll(List.of(arguments));
        ChildJvm child = ChildJvm.of(Worker.class)
                .arguments(all.toArray(String[]::new))
                .jvm(jvm.toArray(String[]::new))
                .heap(96)
                .start();
        children.add(child);
        return child;
    }

    private long effects(String like) throws SQLException {
        return database.queryLong("SELECT count(*) FROM effect WHERE id LIKE '" + like + "'");
    }

    private long twice() throws SQLException {
        return database.queryLong("SELECT count(*) FROM (SELECT id FROM effect GROUP BY id HAVING count(*) > 1) t");
    }

    @Test
    void two_processes_that_race_for_the_same_keys_apply_each_once() throws Exception {
        ChildJvm one = start("once", "0", "300");
        ChildJvm two = start("once", "0", "300");
        one.awaitLine("done", LONG);
        two.awaitLine("done", LONG);
        assertThat(effects("order-%")).isEqualTo(300);
        assertThat(twice()).isZero();
    }

    @Test
    void processes_that_are_killed_again_and_again_apply_and_bill_each_order_once() throws Exception {
        Random random = new Random(20_261_124);
        int orders = 1_500;
        int kills = 0;
        start("consume", "1000").awaitLine("consuming", LONG);
        ChildJvm consumer = children.getLast();
        ChildJvm producer = start("once", "0", String.valueOf(orders));
        producer.awaitLine("ready", LONG);
        while (kills < 6) {
            // The moment of a kill is a number of effects in the target, drawn from the seed.
            long goal = Math.min(orders, effects("%") + 50 + random.nextInt(250));
            if (goal >= orders) {
                break;
            }
            await().atMost(LONG).until(() -> effects("%") >= goal);
            if (random.nextBoolean()) {
                consumer.kill9();
                consumer = start("consume", "1000");
            } else {
                producer.kill9();
                // Without a memory of its own: it begins again with the first order.
                producer = start("once", "0", String.valueOf(orders));
            }
            kills++;
        }
        assertThat(kills).isGreaterThanOrEqualTo(3);
        producer.awaitLine("done", LONG);
        await().atMost(LONG).until(() -> effects("billed-%") >= orders);
        assertThat(effects("order-%")).isEqualTo(orders);
        assertThat(effects("billed-%")).isEqualTo(orders);
        assertThat(twice()).isZero();
    }

    @Test
    void a_process_that_was_stopped_and_wakes_up_after_the_takeover_changes_nothing() throws Exception {
        start("once", "0", "400").awaitLine("done", LONG);
        ChildJvm first = start("consume", "1000");
        await().atMost(LONG).until(() -> effects("billed-%") >= 40);
        first.sigstop();
        long stoppedAt = effects("billed-%");
        assertThat(stoppedAt).isLessThan(400);
        start("consume", "1000");
        await().atMost(LONG).until(() -> effects("billed-%") >= 400);
        first.sigcont();
        // The one that woke up takes its share again, as a new owner: then it has found out that it was fenced.
        await().atMost(LONG)
                .until(() -> database.queryLong(
                                "SELECT count(DISTINCT owner) FROM hapax.position WHERE leased_until > now()")
                        == 2);
        assertThat(effects("billed-%")).isEqualTo(400);
        assertThat(twice()).isZero();
    }

    @Test
    void processes_whose_clocks_are_wrong_by_an_hour_neither_refuse_nor_repeat_nor_steal() throws Exception {
        Instant now =
                Instant.ofEpochMilli(database.queryLong("SELECT CAST(extract(epoch FROM now()) * 1000 AS bigint)"));
        List<ChildJvm> producers = new ArrayList<>();
        for (String skew : List.of("PT0S", "PT1H", "-PT1H")) {
            List<String> jvm = List.of("-D" + Worker.SKEW + "=" + skew, "-D" + Worker.NOW + "=" + now);
            start(jvm, "consume", "2000").awaitLine("consuming", LONG);
            producers.add(start(jvm, "once", "0", "200"));
        }
        for (ChildJvm producer : producers) {
            producer.awaitLine("done", LONG);
        }
        await().atMost(LONG).until(() -> effects("billed-%") >= 200);
        await().atMost(LONG).until(() -> database.queryLong("SELECT count(DISTINCT owner) FROM hapax.position") == 3);
        long takeovers = database.queryLong("SELECT sum(token) FROM hapax.position");
        // Two leases long: who judged them by its own clock would have taken the others' by now.
        await().during(Duration.ofSeconds(4))
                .atMost(Duration.ofSeconds(10))
                .until(() -> database.queryLong("SELECT sum(token) FROM hapax.position") == takeovers);
        assertThat(effects("order-%")).isEqualTo(200);
        assertThat(effects("billed-%")).isEqualTo(200);
        assertThat(twice()).isZero();
    }

    @Test
    void after_a_kill_another_process_takes_over_within_five_seconds() throws Exception {
        ChildJvm first = start("consume", "3000");
        first.awaitLine("consuming", LONG);
        await().atMost(LONG)
                .until(() ->
                        database.queryLong("SELECT count(*) FROM hapax.position WHERE leased_until > now()") == 16);
        ChildJvm second = start("consume", "3000");
        await().atMost(LONG)
                .until(() -> database.queryLong(
                                "SELECT count(DISTINCT owner) FROM hapax.position WHERE leased_until > now()")
                        == 2);
        String live = "leased_until > now()";
        first.kill9();
        await().atMost(Duration.ofSeconds(5))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> database.queryLong("SELECT count(DISTINCT owner) FROM hapax.position WHERE " + live) == 1
                        && database.queryLong("SELECT count(*) FROM hapax.position WHERE " + live) == 16);
        assertThat(second.isAlive()).isTrue();
    }
}
