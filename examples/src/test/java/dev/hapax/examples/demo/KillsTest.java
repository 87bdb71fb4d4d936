package dev.hapax.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KillsTest {
    private static final int LINES = 7_419;

    @Test
    void the_same_seed_kills_the_same() {
        assertThat(new Kills(LINES, 6, 42).points()).isEqualTo(new Kills(LINES, 6, 42).points());
        assertThat(new Kills(LINES, 6, 42).kill(3)).isEqualTo(new Kills(LINES, 6, 42).kill(3));
        assertThat(new Kills(LINES, 6, 42).points()).isNotEqualTo(new Kills(LINES, 6, 43).points());
    }

    @Test
    void kills_lie_inside_the_run_and_hit_both_kinds_in_turn() {
        Kills kills = new Kills(LINES, 12, 7);

        assertThat(kills.points()).hasSize(12).isSorted();
        assertThat(Arrays.stream(kills.points()))
                .allSatisfy(point -> assertThat(point).isBetween(LINES / 50, LINES - 1));
        assertThat(IntStream.range(0, 12).filter(kill -> kills.kill(kill).shop()))
                .hasSize(6);
    }

    @Test
    void a_tiny_file_can_have_more_kills_than_lines() {
        assertThat(new Kills(1, 5, 1).points()).containsOnly(0);
    }
}
