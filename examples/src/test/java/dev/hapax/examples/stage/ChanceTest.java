package dev.hapax.examples.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Key;
import dev.hapax.examples.stage.Chance.Repeat;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChanceTest {
    private static final Instant START = Instant.parse("2026-03-01T10:00:00.123Z");

    private final OrderFile orders = OrderFile.bundled();

    @Test
    void the_same_seed_decides_the_same() {
        assertThat(decisions(chance(0.3, 42))).isEqualTo(decisions(chance(0.3, 42)));
        assertThat(decisions(chance(0.3, 42))).isNotEqualTo(decisions(chance(0.3, 43)));
    }

    @Test
    void exactly_the_share_that_was_asked_for_is_repeated_in_all_four_ways() {
        Chance chance = chance(0.3, 7);
        List<Repeat> repeats =
                IntStream.range(0, lines()).mapToObj(chance::repeat).toList();

        assertThat(repeats.stream().filter(repeat -> repeat != Repeat.NONE)).hasSize(2_226);
        assertThat(repeats).contains(Repeat.values());
        assertThat(IntStream.range(0, lines()))
                .allSatisfy(line ->
                        assertThat(chance.later(line)).isGreaterThan(line).isLessThanOrEqualTo(lines()));
    }

    @Test
    void every_line_has_a_key_of_its_own_that_carries_the_time_of_the_run() {
        Chance chance = chance(0, 7);
        List<UUID> keys = IntStream.range(0, lines()).mapToObj(chance::key).toList();

        assertThat(keys).doesNotHaveDuplicates();
        assertThat(keys)
                .allSatisfy(
                        key -> assertThat(Key.of("orders.place", key.toString()).time())
                                .contains(START));
    }

    private Chance chance(double repeats, long seed) {
        return new Chance(lines(), new Load(repeats, 0, seed), START.toEpochMilli());
    }

    private int lines() {
        return orders.size();
    }

    private List<Object> decisions(Chance chance) {
        return IntStream.range(0, lines())
                .<Object>mapToObj(line -> List.of(
                        chance.repeat(line), chance.later(line), chance.impatienceMillis(line), chance.key(line)))
                .toList();
    }
}
