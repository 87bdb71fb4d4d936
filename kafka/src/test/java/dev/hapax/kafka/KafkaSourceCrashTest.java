package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.ChildJvm;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Consumers in processes of their own that are killed and frozen; what they did is counted in the target. */
@Tag("slow")
class KafkaSourceCrashTest {

    private static final int RECORDS = 6_000;

    private SourceFixture fixture;
    private final List<ChildJvm> children = new ArrayList<>();

    @BeforeEach
    void open() {
        fixture = new SourceFixture();
    }

    @AfterEach
    void close() {
        children.forEach(ChildJvm::close);
        fixture.close();
    }

    private ChildJvm worker(String... jvm) {
        ChildJvm child = ChildJvm.of(SourceWorkerMain.class)
                .name("consumer-" + children.size())
                .arguments(fixture.database.jdbcUrl(), fixture.kafka.bootstrapServers(), fixture.topic)
                .jvm(jvm)
                .jvm("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
                .jvm("-Dorg.slf4j.simpleLogger.log.org.apache.kafka=error")
                .heap(128)
                .start();
        children.add(child);
        return child;
    }

    private void awaitMoreThan(long rows) {
        await().atMost(LONG).until(() -> fixture.count() > rows);
    }

    private void assertComplete() throws Exception {
        await().atMost(LONG).until(() -> fixture.distinct() == RECORDS);
        assertThat(fixture.count()).isEqualTo(RECORDS);
        assertThat(fixture.outOfOrder()).isZero();
    }

    @Test
    void processes_that_are_killed_leave_nothing_out_and_do_nothing_twice() throws Exception {
        fixture.sendNumbers(0, RECORDS / 2);
        ChildJvm first = worker();
        awaitMoreThan(100);
        ChildJvm second = worker();
        awaitMoreThan(400);
        first.kill9();
        worker();
        fixture.sendNumbers(RECORDS / 2, RECORDS);
        awaitMoreThan(RECORDS / 2);
        second.kill9();
        assertComplete();
    }

    /**
     * A process is frozen inside a handler, with effects in its transaction; another takes its partitions and does the work; then the first wakes up and goes on to its commit.
     *
     * @return how many effects there are twice in the end
     */
    private long appliedTwiceByAZombie(String... jvm) throws Exception {
        fixture.sendNumbers(0, RECORDS / 2);
        List<String> arguments = new ArrayList<>(List.of(jvm));
        arguments.add("-D" + SourceWorkerMain.STAND_AT + "=120");
        try (Connection gate = fixture.pool.getConnection();
                Statement statement = gate.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + SourceWorkerMain.GATE + ")");
            ChildJvm zombie = worker(arguments.toArray(String[]::new));
            zombie.awaitLine(SourceWorkerMain.STANDING, LONG);
            zombie.sigstop();
            worker();
            fixture.sendNumbers(RECORDS / 2, RECORDS);
            await().atMost(LONG).until(() -> fixture.distinct() == RECORDS);
            assertThat(openForLong()).as("the zombie's transaction is open").isEqualTo(1);
            statement.execute("SELECT pg_advisory_unlock(" + SourceWorkerMain.GATE + ")");
            zombie.sigcont();
        }
        await().atMost(LONG).until(() -> openForLong() == 0);
        // It takes part again, and whatever it has lost it has found out.
        await().atMost(LONG)
                .until(() ->
                        fixture.database.queryLong("SELECT count(*) FROM hapax.member WHERE seen_until > now()") == 2);
        return fixture.count() - fixture.distinct();
    }

    private long openForLong() throws Exception {
        return fixture.database.queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                + " AND xact_start < clock_timestamp() - interval '3 seconds'");
    }

    @Test
    void a_process_that_is_frozen_inside_a_batch_and_wakes_up_after_the_takeover_commits_nothing() throws Exception {
        assertThat(appliedTwiceByAZombie()).isZero();
        assertComplete();
    }

    @Test
    void a_consumer_that_compares_neither_epoch_nor_place_is_found() throws Exception {
        assertThat(appliedTwiceByAZombie("-D" + SourceWorkerMain.UNFENCED + "=true"))
                .isPositive();
    }
}
