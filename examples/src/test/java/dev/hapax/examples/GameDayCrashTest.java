package dev.hapax.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.EmbeddedDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A game day as a person runs it, but a short one, looked at with plain SQL. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class GameDayCrashTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final List<String> FAULTS = List.of("kill-billing", "cut-commit", "kill-database", "half-open");

    @TempDir
    private Path folder;

    @Test
    void all_is_exact_whatever_happens_and_the_reports_say_what_the_rows_say() throws Exception {
        Path data = folder.resolve("data");
        Path report = folder.resolve("day.html");

        CommandRun run = CommandRun.of(
                "gameday",
                "--minutes",
                "0.7",
                "--rate",
                "60",
                "--seed",
                "5",
                "--faults",
                String.join(",", FAULTS),
                "--data",
                data.toString(),
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isZero();
        assertThat(run.out()).contains("seed 5").contains("exact: each order line took effect once");
        JsonNode json = JsonMapper.shared().readTree(Files.readString(folder.resolve("day.json")));
        assertThat(json.propertyNames())
                .containsExactly("verdict", "seed", "faults", "applied", "repeats", "twice", "lost", "violations");
        assertThat(json.get("verdict").asString()).isEqualTo("exact");
        assertThat(json.get("seed").asInt()).isEqualTo(5);
        assertThat(json.get("violations").isEmpty()).isTrue();
        assertThat(json.get("repeats").asInt())
                .isGreaterThan(json.get("applied").asInt() / 5);
        List<String> kinds = json.get("faults")
                .valueStream()
                .map(fault -> fault.get("kind").asString())
                .toList();
        // On a machine with much else to do there may be no time for the last one.
        assertThat(kinds).hasSizeGreaterThanOrEqualTo(3).isSubsetOf(FAULTS);
        assertThat(Files.readString(report)).contains(kinds);
        try (EmbeddedDatabase server =
                EmbeddedDatabase.builder().directory(data).start()) {
            long applied = server.database().queryLong("SELECT count(*) FROM shop.order_line");
            assertThat(applied).isEqualTo(json.get("applied").asLong()).isGreaterThan(1_000);
            assertThat(server.database()
                            .queryLong("SELECT count(*) FROM (SELECT DISTINCT invoice, line FROM shop.order_line) d"))
                    .isEqualTo(applied);
            assertThat(server.database()
                            .queryLong("SELECT count(*) FROM (SELECT DISTINCT invoice, line FROM billing.ledger) d"))
                    .isEqualTo(applied);
            assertThat(server.database().queryLong("SELECT count(*) FROM billing.ledger"))
                    .isEqualTo(applied);
        }
        assertThat(data.resolve("logs")).isDirectoryContaining("glob:**billing-1.log");
    }

    @Test
    void a_system_that_is_wrong_is_found_out() throws Exception {
        Path report = folder.resolve("day");

        CommandRun run = CommandRun.of(
                "gameday",
                "--naive",
                "--minutes",
                "0.25",
                "--seed",
                "6",
                "--faults",
                "cut-commit",
                "--report",
                report.toString());

        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(1);
        assertThat(run.out()).contains("not exact with seed 6").contains("took effect twice");
        JsonNode json = JsonMapper.shared().readTree(Files.readString(folder.resolve("day.json")));
        assertThat(json.get("verdict").asString()).isEqualTo("not exact");
        assertThat(json.get("twice").asInt()).isPositive();
        assertThat(json.get("violations").valueStream().map(JsonNode::asString))
                .anyMatch(violation -> violation.startsWith("took effect twice: "));
        assertThat(Files.readString(folder.resolve("day.html"))).contains("not exact");
    }

    @Test
    void nothing_is_left_of_one_that_is_killed_in_the_middle_of_a_fault() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        ChildJvm day = ChildJvm.of(Main.class)
                .heap(256)
                .jvm("-Djava.io.tmpdir=" + temporary)
                .arguments("gameday", "--faults", "stop-billing", "--rate", "20")
                .start();
        day.awaitLine(" stop-billing ", PATIENCE);
        List<ProcessHandle> family =
                ProcessHandle.of(day.pid()).orElseThrow().descendants().toList();
        assertThat(family).hasSizeGreaterThanOrEqualTo(4).allMatch(ProcessHandle::isAlive);

        day.kill9();

        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(family).noneMatch(DemoCrashTest::isWorking);
            try (Stream<Path> left = Files.list(temporary)) {
                assertThat(left.map(path -> path.getFileName().toString()))
                        .noneMatch(name -> name.startsWith("hapax-database"));
            }
        });
    }
}
