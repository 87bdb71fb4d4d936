package dev.hapax.examples.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.shop.OrderLine;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OrderPassesTest {
    private final OrderFile file = OrderFile.bundled();
    private final OrderPasses orders = new OrderPasses(file, 3 * file.size() + 5, 42);

    @Test
    void the_first_pass_is_the_file() {
        assertThat(IntStream.range(0, file.size()).mapToObj(orders::line)).isEqualTo(file.lines());
    }

    @Test
    void each_further_pass_has_the_same_lines_under_invoices_of_its_own() {
        assertThat(IntStream.range(0, orders.size()).mapToObj(orders::line).map(OrderLine::name))
                .doesNotHaveDuplicates();
        assertThat(IntStream.range(file.size(), 2 * file.size())
                        .mapToObj(orders::line)
                        .map(OrderPassesTest::what))
                .containsExactlyInAnyOrderElementsOf(
                        file.lines().stream().map(OrderPassesTest::what).toList());
    }

    @Test
    void every_line_is_found_by_what_it_is_called() {
        assertThat(IntStream.range(0, orders.size())).allSatisfy(number -> {
            OrderLine line = orders.line(number);
            assertThat(orders.find(line.invoice(), line.line())).isEqualTo(number);
        });
    }

    @Test
    void what_was_never_in_it_is_not_found() {
        OrderLine last = new OrderPasses(file, 4 * file.size(), 42).line(4 * file.size() - 1);

        assertThat(orders.find(last.invoice(), last.line())).isEqualTo(OrderBook.NOWHERE);
        assertThat(orders.find(file.line(0).invoice() + "~9", 1)).isEqualTo(OrderBook.NOWHERE);
        assertThat(orders.find(file.line(0).invoice() + "~0", 1)).isEqualTo(OrderBook.NOWHERE);
        assertThat(orders.find(file.line(0).invoice(), 1_000)).isEqualTo(OrderBook.NOWHERE);
        assertThat(orders.find(file.line(0).invoice(), 0)).isEqualTo(OrderBook.NOWHERE);
        assertThat(orders.find("~1", 1)).isEqualTo(OrderBook.NOWHERE);
    }

    @Test
    void the_seed_decides_where_a_pass_begins() {
        assertThat(new OrderPasses(file, orders.size(), 42).line(file.size())).isEqualTo(orders.line(file.size()));
        assertThat(new OrderPasses(file, orders.size(), 43).line(file.size())).isNotEqualTo(orders.line(file.size()));
    }

    private static String what(OrderLine line) {
        return line.invoice().replaceAll("~.*", "") + "/" + line.line() + "/" + line.amount();
    }
}
