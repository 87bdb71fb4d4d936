package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.Mutation;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A relay and a consumer at their points: each statement and commit of the database, each send, begin and commit of the broker, each acknowledgement. The broker and the database are real.
 *
 * <p>The build takes the points where something is decided, and two ways to fail; {@code -Dhapax.proof.full=true} takes all of both, and pairs.
 */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class KafkaPointsCrashTest {

    private static final boolean FULL = Boolean.getBoolean("hapax.proof.full");

    /** Sends and commits of the broker, moves of the database's copy of the position. */
    private static final Pattern RELAYING = Pattern.compile("Producer\\.(send|commitTransaction)|SET low");

    /** Effects, moves of the position, the commits of both, acknowledgements. */
    private static final Pattern CONSUMING =
            Pattern.compile("Consumer\\.commit|INSERT INTO handled|SET next_offset|^COMMIT$");

    private static CrashPoints points(Pattern decisive) {
        return new CrashPoints(EmbeddedDatabase.sharedInMemory())
                .points(point -> FULL || decisive.matcher(point.what()).find())
                .withoutLikes();
    }

    /** Deaths and faults, and pairs of them. */
    private static CrashPoints faults(Pattern decisive) {
        return FULL
                ? points(decisive)
                        .modes(EnumSet.complementOf(EnumSet.of(Mode.PAUSED)))
                        .pairs(100)
                // What a death leaves, and what a lost answer leaves.
                : points(decisive).modes(EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED));
    }

    /** Standing still, while the leases run out and another process does the work. */
    private static CrashPoints zombies() {
        return points(CONSUMING).modes(EnumSet.of(Mode.PAUSED)).variations(Set.of(Variation.TAKEN_OVER), 0);
    }

    private static void prove(CrashPoints points, Scenario<?> scenario) {
        ProofReport report = points.explore(scenario);
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isGreaterThan(10);
    }

    @Test
    void a_relay_publishes_once_whatever_fails_at_any_point() {
        prove(faults(RELAYING), KafkaScenarios.relay());
    }

    @Test
    void a_consumer_applies_once_whatever_fails_at_any_point() {
        prove(faults(CONSUMING), KafkaScenarios.consumer());
    }

    @Test
    void a_consumer_that_compares_neither_epoch_nor_place_is_caught() {
        Scenario<?> mutant = KafkaScenarios.consumer().mutated("no fence", new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return SourceWorkerMain.withoutFence(sql);
            }
        });
        assertThat(zombies().untilFirstViolation().explore(mutant).violations())
                .anyMatch(violation -> violation.invariant().equals(Invariants.AT_MOST_ONCE));
    }
}
