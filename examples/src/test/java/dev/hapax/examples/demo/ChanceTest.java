package dev.hapax.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Key;
import dev.hapax.examples.demo.Chance.Repeat;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChanceTest {
    private static final Instant START = Instant.parse("2026-03-01T10:00:00.123Z");

    private final OrderFile orders = OrderFile.bundled();

    @Test
    void the_same_seed_decides_the_same() {
        assertThat(decisions(chance(0.3, 6, 42))).isEqualTo(decisions(chance(0.3, 6, 42)));
        assertThat(decisions(chance(0.3, 6, 42))).isNotEqualTo(decisions(chance(0.3, 6, 43)));
    }

    @Test
    void exactly_the_share_that_was_asked_for_is_repeated_in_all_four_ways() {
        Chance chance = chance(0.3, 0, 7);
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
        Chance chance = chance(0, 0, 7);
        List<UUID> keys = IntStream.range(0, lines()).mapToObj(chance::key).toList();

        assertThat(keys).doesNotHaveDuplicates();
        assertThat(keys)
                .allSatisfy(
                        key -> assertThat(Key.of("orders.place", key.toString()).time())
                                .contains(START));
    }

    @Test
    void kills_lie_inside_the_run_and_hit_both_kinds_in_turn() {
        Chance chance = chance(0, 12, 7);

        assertThat(chance.killPoints()).hasSize(12).isSorted();
        assertThat(Arrays.stream(chance.killPoints()))
                .allSatisfy(point -> assertThat(point).isBetween(lines() / 50, lines() - 1));
        assertThat(IntStream.range(0, 12).filter(kill -> chance.kill(kill).shop()))
                .hasSize(6);
    }

    @Test
    void a_tiny_file_can_have_more_kills_than_lines() {
        OrderFile one =
                OrderFile.parse(("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
                                + "1,A,x,1,12/1/10 8:26,2.55,1,UK\n")
                        .getBytes(StandardCharsets.UTF_8));
        DemoPlan plan = new DemoPlan(one, new DemoPlan.Load(1, 0, 1), 1, 5, false, null);

        assertThat(new Chance(plan, START.toEpochMilli()).killPoints()).containsOnly(0);
    }

    private Chance chance(double repeats, int kills, long seed) {
        DemoPlan plan = new DemoPlan(orders, new DemoPlan.Load(repeats, 0, seed), 2, kills, false, null);
        return new Chance(plan, START.toEpochMilli());
    }

    private int lines() {
        return orders.lines().size();
    }

    private List<Object> decisions(Chance chance) {
        return IntStream.range(0, lines())
                .<Object>mapToObj(line -> List.of(
                        chance.repeat(line), chance.later(line), chance.impatienceMillis(line), chance.key(line)))
                .toList();
    }
}
