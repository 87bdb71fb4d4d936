package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.ChildJvm;
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

    private ChildJvm worker() {
        ChildJvm child = ChildJvm.of(SourceWorkerMain.class)
                .name("consumer-" + children.size())
                .arguments(fixture.database.jdbcUrl(), fixture.kafka.bootstrapServers(), fixture.topic)
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

    @Test
    void a_process_that_sleeps_through_the_loss_of_its_partitions_commits_nothing_of_them() throws Exception {
        fixture.sendNumbers(0, RECORDS / 2);
        ChildJvm sleeper = worker();
        awaitMoreThan(100);
        sleeper.sigstop();
        worker();
        fixture.sendNumbers(RECORDS / 2, RECORDS);
        await().atMost(LONG).until(() -> fixture.distinct() == RECORDS);
        sleeper.sigcont();
        // It takes part again, and finds that it has lost what it had.
        await().atMost(LONG)
                .until(() ->
                        fixture.database.queryLong("SELECT count(*) FROM hapax.member WHERE seen_until > now()") == 2);
        assertComplete();
    }
}
