package dev.hapax.examples.gameday;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.gameday.Meter.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    private static final long TENTH = 100_000_000;
    private static final double RATE = 100;

    @Test
    void a_fault_that_nobody_felt_is_got_over_at_once() {
        List<Sample> samples = samples(60, tenth -> 10, tenth -> 10);

        assertThat(Recovery.of(samples, 20 * TENTH, RATE)).contains(Duration.ZERO);
    }

    @Test
    void it_lasts_until_a_second_begins_that_is_fast_enough() {
        List<Sample> samples = samples(60, tenth -> tenth < 30 ? 0 : 10, tenth -> 10);

        // Eight tenths of the second that begins at 2.8 s are at the full rate.
        assertThat(Recovery.of(samples, 20 * TENTH, RATE)).contains(Duration.ofMillis(800));
    }

    @Test
    void billing_has_to_be_back_as_well() {
        List<Sample> samples = samples(80, tenth -> 10, tenth -> tenth < 40 ? 0 : 10);

        assertThat(Recovery.of(samples, 20 * TENTH, RATE)).contains(Duration.ofMillis(1_800));
    }

    @Test
    void what_has_not_come_back_or_not_for_a_second_yet_is_no_recovery() {
        assertThat(Recovery.of(samples(60, tenth -> tenth < 20 ? 10 : 7, tenth -> 10), 20 * TENTH, RATE))
                .isEmpty();
        assertThat(Recovery.of(samples(28, tenth -> 10, tenth -> 10), 20 * TENTH, RATE))
                .isEmpty();
        assertThat(Recovery.of(List.of(), 20 * TENTH, RATE)).isEmpty();
    }

    @Test
    void the_rate_before_is_that_of_the_last_seconds_and_never_more_than_the_usual() {
        assertThat(Recovery.rateBefore(samples(60, tenth -> tenth < 20 ? 1 : 5, tenth -> 5), 59 * TENTH, RATE))
                .isEqualTo(50);
        assertThat(Recovery.rateBefore(samples(60, tenth -> 40, tenth -> 40), 59 * TENTH, RATE))
                .isEqualTo(RATE);
        assertThat(Recovery.rateBefore(List.of(), 59 * TENTH, RATE)).isZero();
    }

    /** A sample each tenth of a second, with so much done in the tenth before it. */
    private static List<Sample> samples(int count, IntUnaryOperator answered, IntUnaryOperator billed) {
        List<Sample> samples = new ArrayList<>();
        Sample last = new Sample(0, 0, 0);
        for (int tenth = 1; tenth <= count; tenth++) {
            samples.add(last);
            last = new Sample(
                    tenth * TENTH,
                    last.answered() + answered.applyAsInt(tenth - 1),
                    last.billed() + billed.applyAsInt(tenth - 1));
        }
        return samples;
    }
}
