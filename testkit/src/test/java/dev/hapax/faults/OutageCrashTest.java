package dev.hapax.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.control.Control.Kind;
import dev.hapax.control.History.Rewind;
import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.LimitedDisk;
import dev.hapax.testkit.TestDatabase;
import dev.hapax.testkit.fault.Injection;
import dev.hapax.testkit.fault.Outage;
import dev.hapax.testkit.fault.Site;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each outage of the real world once, under a steady traffic. While it lasts and afterwards the rows of the target are counted: each operation at most once, each acknowledged one applied, no position ahead of its
 * effects. After an outage that loses commits, marker and effect are gone together, the readers stand still until an operator says go, and what the source sends again is applied again.
 */
@Tag("slow")
class OutageCrashTest {

    /** How soon after the end of an outage new work must be acknowledged, and all work be done. */
    private static final Duration RECOVERY_MAX = Duration.ofSeconds(30);

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final long SEED = 20_261_124;
    private static final int DISK_MEBIBYTES = 600;

    @ParameterizedTest
    @EnumSource(Outage.class)
    void no_effect_is_lost_or_doubled(Outage outage, TestReporter reporter) throws SQLException {
        try (Site site = site(outage);
                Traffic traffic = Traffic.start(site, SEED)) {
            awaitWork(traffic, site, 100);
            try (Injection injection = outage.prepare(site, SEED)) {
                awaitBeats(outage, site);
                long failures = traffic.failures();
                long acknowledged = traffic.acknowledgedCount();
                injection.begin();
                awaitBeats(outage, site);
                await("the outage is felt")
                        .atMost(LONG)
                        .until(() -> traffic.failures() >= failures + 5
                                || outage != Outage.DISK_FULL && traffic.acknowledgedCount() >= acknowledged + 150);
                injection.end();
            }
            recover(outage, site, traffic, reporter);
        }
    }

    private static Site site(Outage outage) {
        EmbeddedDatabase.Builder builder = EmbeddedDatabase.builder().maxConnections(60);
        return outage == Outage.DISK_FULL
                ? Site.on(LimitedDisk.open(DISK_MEBIBYTES), builder)
                : Site.start(builder.inMemory());
    }

    /** What is going to be lost must have been seen: the second beat shows that somebody has seen the first. */
    private static void awaitBeats(Outage outage, Site site) throws SQLException {
        if (outage.losesCommits()) {
            TestDatabase database = site.database(Traffic.DATABASE);
            String newest = "SELECT max(number) FROM hapax.beat";
            long goal = database.queryLong(newest) + 2;
            await("beats").atMost(LONG).until(() -> database.queryLong(newest) >= goal);
        }
    }

    private static void recover(Outage outage, Site site, Traffic traffic, TestReporter reporter) throws SQLException {
        long ended = System.nanoTime();
        TestDatabase database = site.server().database(Traffic.DATABASE);
        Count count = Count.in(database);
        awaitAcknowledged(traffic, 50, RECOVERY_MAX);
        long back = System.nanoTime();
        count.holdsNow();
        if (outage.losesCommits()) {
            bringBack(traffic, count);
        }
        traffic.settle();
        await("all work is acknowledged").atMost(RECOVERY_MAX).until(traffic::isSettled);
        await("all messages are handled")
                .atMost(RECOVERY_MAX)
                .until(() ->
                        count.number("SELECT count(*) FROM billed") >= count.number("SELECT count(*) FROM effect"));
        count.holdsInTheEnd(traffic.acknowledgedNumbers());
        reporter.publishEntry(Map.of(
                "outage",
                outage.title(),
                "operations",
                Long.toString(traffic.acknowledgedCount()),
                "repeats",
                Long.toString(traffic.repeats()),
                "failed calls",
                Long.toString(traffic.failures()),
                "work again after ms",
                Long.toString((back - ended) / 1_000_000),
                "quiet after ms",
                Long.toString((System.nanoTime() - ended) / 1_000_000)));
    }

    /** The database has gone back: it is noticed, nobody reads, and an operator lets the readers go when the source has sent all again. */
    private static void bringBack(Traffic traffic, Count count) throws SQLException {
        await("the loss is noticed")
                .atMost(Duration.ofSeconds(10))
                .until(() -> !traffic.service().history().rewinds().isEmpty());
        List<Rewind> rewinds = traffic.service().history().rewinds();
        assertThat(rewinds).hasSize(1);
        assertThat(rewinds.getFirst().accepted()).isEmpty();
        assertThat(rewinds.getFirst().lostAfter()).isPresent();
        assertThat(traffic.service().control().list())
                .anyMatch(paused ->
                        paused.kind() == Kind.CONSUMER && paused.name().equals("*"));
        traffic.sendAllAgain();
        awaitAcknowledged(traffic, 100, RECOVERY_MAX);
        long billed = count.number("SELECT count(*) FROM billed");
        awaitAcknowledged(traffic, 100, RECOVERY_MAX);
        assertThat(count.number("SELECT count(*) FROM billed"))
                .as("effects of readers while they are paused")
                .isEqualTo(billed);
        count.holdsNow();
        assertThat(traffic.service().history().accept("all is sent again", "operator"))
                .isTrue();
    }

    private static void awaitAcknowledged(Traffic traffic, int more, Duration within) {
        long goal = traffic.acknowledgedCount() + more;
        await("more work is acknowledged").atMost(within).until(() -> traffic.acknowledgedCount() >= goal);
    }

    private static void awaitWork(Traffic traffic, Site site, int number) {
        awaitAcknowledged(traffic, number, LONG);
        TestDatabase database = site.database(Traffic.DATABASE);
        await("messages are handled")
                .atMost(LONG)
                .until(() -> database.queryLong("SELECT count(*) FROM billed") >= number);
    }
}
