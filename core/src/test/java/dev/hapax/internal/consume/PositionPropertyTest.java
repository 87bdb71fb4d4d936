package dev.hapax.internal.consume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** Positions against the model: a set of numbers. */
class PositionPropertyTest {

    @RepeatedTest(200)
    void a_position_is_the_set_of_what_is_done(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        int n = 1 + random.nextInt(60);
        List<Long> numbers = new ArrayList<>();
        for (long i = 1; i <= n; i++) {
            numbers.add(i);
        }
        // Nearly in order, as commits are.
        for (int i = 0; i + 1 < n; i++) {
            Collections.swap(numbers, i, Math.min(n - 1, i + random.nextInt(4)));
        }
        Position position = Position.of(0, "{}");
        TreeSet<Long> model = new TreeSet<>();
        long xid = 100;
        for (long number : numbers) {
            if (random.nextInt(5) == 0 && !model.isEmpty()) {
                position.bound(++xid);
            }
            if (model.contains(number)) {
                continue;
            }
            position.done(number);
            model.add(number);
            if (random.nextInt(10) == 0) {
                long xmin = xid - random.nextInt(2);
                giveUp(position, model, xmin);
            }
            check(position, model);
            // What is stored is what is read.
            if (random.nextInt(3) == 0) {
                position = Position.of(position.low(), position.done());
                check(position, model);
            }
        }
    }

    private static void giveUp(Position position, TreeSet<Long> model, long xmin) {
        for (Position.Gap gap : position.gaps()) {
            if (gap.bound() != Position.NO_BOUND && gap.bound() <= xmin) {
                for (long i = gap.from(); i <= gap.to(); i++) {
                    model.add(i);
                }
            }
        }
        position.giveUp(xmin);
    }

    private static void check(Position position, TreeSet<Long> model) {
        long low = 0;
        while (model.contains(low + 1)) {
            low++;
        }
        assertThat(position.low()).isEqualTo(low);
        assertThat(position.high()).isEqualTo(model.isEmpty() ? 0 : model.last());
        TreeSet<Long> missing = new TreeSet<>();
        position.gaps().forEach(gap -> {
            for (long i = gap.from(); i <= gap.to(); i++) {
                assertThat(missing.add(i)).isTrue();
            }
        });
        TreeSet<Long> expected = new TreeSet<>();
        for (long i = low + 1; i < position.high(); i++) {
            if (!model.contains(i)) {
                expected.add(i);
            }
        }
        assertThat(missing).isEqualTo(expected);
    }

    @Test
    void what_is_done_twice_is_refused() {
        Position position = Position.of(3, "{[5,7)}");
        assertThat(position.gaps()).containsExactly(new Position.Gap(4, 4, Position.NO_BOUND));
        assertThatThrownBy(() -> position.done(5))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> position.done(2)).isInstanceOf(IllegalStateException.class);
        position.done(4);
        assertThat(position.low()).isEqualTo(6);
        assertThat(position.done()).isEqualTo("{}");
    }

    @Test
    void a_gap_is_given_up_only_by_a_snapshot_that_has_reached_its_bound() {
        Position position = Position.of(0, "{}");
        position.done(3);
        assertThat(position.giveUp(Long.MAX_VALUE)).as("no bound was drawn yet").isFalse();
        position.bound(50);
        position.done(6);
        assertThat(position.giveUp(49)).isFalse();
        assertThat(position.giveUp(50)).isTrue();
        assertThat(position.low()).isEqualTo(3);
        assertThat(position.done()).isEqualTo("{[6,7)}");
    }

    @Test
    void many_ranges_are_read_as_they_were_written() {
        Position position = Position.of(2, "{[4,5),[7,9),[12,20)}");
        assertThat(position.done()).isEqualTo("{[4,5),[7,9),[12,20)}");
        assertThat(position.high()).isEqualTo(19);
        assertThat(position.low()).isEqualTo(2);
    }
}
