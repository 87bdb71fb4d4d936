package dev.hapax.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import dev.hapax.testkit.proof.CrashPoints;
import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Scenario;
import java.util.EnumSet;
import java.util.regex.Pattern;

/**
 * The points of relay and consumer: each statement and commit of the database, each send, begin and commit of the broker, each acknowledgement. The broker and the database are real.
 *
 * <p>The build takes the points where something is decided, and two ways to fail; {@code -Dhapax.proof.full=true} takes all of both, and pairs.
 */
final class KafkaPoints {

    private static final boolean FULL = Boolean.getBoolean("hapax.proof.full");

    private KafkaPoints() {}

    static CrashPoints of(Pattern decisive) {
        return new CrashPoints(EmbeddedDatabase.shared())
                .points(point -> FULL || decisive.matcher(point.what()).find())
                .withoutLikes();
    }

    /** Deaths and faults, and pairs of them. */
    static CrashPoints faults(Pattern decisive) {
        return FULL
                ? of(decisive)
                        .modes(EnumSet.complementOf(EnumSet.of(Mode.PAUSED)))
                        .pairs(100)
                // What a death leaves, and what a lost answer leaves.
                : of(decisive).modes(EnumSet.of(Mode.DIES, Mode.LOST_COMMITTED));
    }

    static void prove(CrashPoints points, Scenario<?> scenario) {
        ProofReport report = points.explore(scenario);
        assertThat(report.isProven()).as(report.describe("")).isTrue();
        assertThat(report.points()).isGreaterThan(10);
    }
}
