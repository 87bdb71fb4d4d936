package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.ProofReport;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A relay at its points: each send and commit of the broker, each move of the database's copy of the position. The broker and the database are real; what is on the topic is counted as a reader of committed records sees
 * it.
 *
 * <p>The build takes the points where something is decided, and two ways to fail; {@code -Dhapax.proof.full=true} takes all of both.
 */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class KafkaPointsCrashTest {

    private static final boolean FULL = Boolean.getBoolean("hapax.proof.full");

    private static final Pattern DECISIVE = Pattern.compile("Producer\\.(send|commitTransaction)|SET low");

    @Test
    void a_relay_publishes_once_wherever_it_dies_and_whichever_answer_is_lost() {
        ProofReport report = new CrashPoints(EmbeddedDatabase.sharedInMemory())
                .points(point -> FULL || DECISIVE.matcher(point.what()).find())
                .modes(FULL ? EnumSet.allOf(Mode.class) : EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED))
                .withoutLikes()
                .explore(KafkaScenarios.relay());
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isGreaterThan(10);
    }
}
