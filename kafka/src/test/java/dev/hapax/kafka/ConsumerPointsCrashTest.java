package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Invariants;
import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.Mutation;
import dev.hapax.testkit.proof.Node;
import dev.hapax.testkit.proof.Scenario;
import dev.hapax.testkit.proof.Variation;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A consumer whose process dies, is not answered, or stands still at its points: each record takes effect once, in the order of its key. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class ConsumerPointsCrashTest {

    /** Effects, moves of the position, the commits of both, acknowledgements. */
    private static final Pattern DECISIVE =
            Pattern.compile("Consumer\\.commit|INSERT INTO handled|SET next_offset|^COMMIT$");

    @Test
    void a_consumer_applies_once_whatever_fails_at_any_point() {
        KafkaPoints.prove(KafkaPoints.faults(DECISIVE), KafkaScenarios.consumer());
    }

    /** It stands still, while the leases run out and another process does the work. */
    @Test
    void a_consumer_that_compares_neither_epoch_nor_place_is_caught() {
        Scenario<?> mutant = KafkaScenarios.consumer().mutated("no fence", new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return SourceWorkerMain.withoutFence(sql);
            }
        });
        CrashPoints zombies = KafkaPoints.of(DECISIVE)
                .modes(EnumSet.of(Mode.PAUSED))
                .variations(Set.of(Variation.TAKEN_OVER), 0)
                .untilFirstViolation();
        assertThat(zombies.explore(mutant).violations())
                .anyMatch(violation -> violation.invariant().equals(Invariants.AT_MOST_ONCE));
    }
}
