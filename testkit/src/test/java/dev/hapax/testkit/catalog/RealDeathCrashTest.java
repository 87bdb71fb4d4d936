package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.RealDeaths;
import dev.hapax.testkit.proof.RealProcess;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real processes that halt, or are killed, at a point of their work. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@Tag("slow")
class RealDeathCrashTest {

    /** Run in a JVM of its own. */
    static final class Child {
        public static void main(String[] args) throws Exception {
            RealProcess.run(args, Catalog.scenarios());
        }
    }

    private static void dies(String scenario, int deaths) throws Exception {
        ProofReport report = new RealDeaths(EmbeddedDatabase.shared(), Child.class, 20251124)
                .explore(
                        Catalog.scenarios().stream()
                                .filter(one -> one.name().equals(scenario))
                                .findFirst()
                                .orElseThrow(),
                        deaths);
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.faults()).isEqualTo(deaths);
    }

    @Test
    void an_operation_is_applied_once_by_processes_that_halt_and_are_killed() throws Exception {
        dies("once-publish", 8);
    }

    @Test
    void messages_are_handled_once_by_processes_that_halt_and_are_killed() throws Exception {
        dies("consumer-publishes", 8);
    }
}
