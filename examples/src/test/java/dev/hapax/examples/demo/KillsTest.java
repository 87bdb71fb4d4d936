package dev.hapax.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.demo.Kills.Victim;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KillsTest {
    private static final int LINES = 7_419;
    private static final List<Victim> BOTH = List.of(Victim.SHOP, Victim.BILLING);

    @Test
    void the_same_seed_kills_the_same() {
        assertThat(new Kills(LINES, 6, BOTH, 42).points()).isEqualTo(new Kills(LINES, 6, BOTH, 42).points());
        assertThat(new Kills(LINES, 6, BOTH, 42).kill(3)).isEqualTo(new Kills(LINES, 6, BOTH, 42).kill(3));
        assertThat(new Kills(LINES, 6, BOTH, 42).points()).isNotEqualTo(new Kills(LINES, 6, BOTH, 43).points());
    }

    @Test
    void kills_lie_inside_the_run_and_hit_both_kinds_in_turn() {
        Kills kills = new Kills(LINES, 12, BOTH, 7);

        assertThat(kills.points()).hasSize(12).isSorted();
        assertThat(Arrays.stream(kills.points()))
                .allSatisfy(point -> assertThat(point).isBetween(LINES / 50, LINES - 1));
        assertThat(IntStream.range(0, 12).filter(kill -> kills.kill(kill).victim() == Victim.SHOP))
                .hasSize(6);
    }

    @Test
    void with_a_broker_all_kinds_are_hit_in_turn() {
        Kills kills = new Kills(LINES, 8, List.of(Victim.values()), 7);

        for (Victim victim : Victim.values()) {
            assertThat(IntStream.range(0, 8).filter(kill -> kills.kill(kill).victim() == victim))
                    .as(victim.name())
                    .hasSize(2);
        }
    }

    @Test
    void a_tiny_file_can_have_more_kills_than_lines() {
        assertThat(new Kills(1, 5, BOTH, 1).points()).containsOnly(0);
    }
}
