package dev.hapax.examples.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.shop.OrderLine;
import dev.hapax.examples.shop.OrderPlaced;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** What is told of records on a topic. */
class PublishedTest {
    private static final int LINES = 20;

    private final OrderFile orders = OrderFile.bundled();
    private final Published.Count count = new Published.Count(orders, LINES);

    private void add(int line) {
        OrderLine order = orders.line(line);
        add(new OrderPlaced(order.invoice(), order.line(), order.lines(), order.customer(), order.amount()));
    }

    private void add(@Nullable Object value) {
        count.add(value == null ? null : JsonMapper.shared().writeValueAsBytes(value), "orders.placed-0@" + 7);
    }

    private void addAllBut(int line) {
        for (int i = 0; i < LINES; i++) {
            if (i != line) {
                add(i);
            }
        }
    }

    @Test
    void one_record_for_each_line_differs_in_nothing() {
        addAllBut(-1);

        Published published = count.result();
        assertThat(published.records()).isEqualTo(LINES);
        assertThat(published.distinct()).isEqualTo(LINES);
        assertThat(published.differences()).isEmpty();
    }

    @Test
    void a_line_that_is_there_twice_and_one_that_is_missing_are_named() {
        addAllBut(3);
        add(5);

        Published published = count.result();
        assertThat(published.records()).isEqualTo(LINES);
        assertThat(published.distinct()).isEqualTo(LINES - 1);
        assertThat(published.differences())
                .hasSize(2)
                .hasEntrySatisfying(
                        "published twice",
                        names ->
                                assertThat(names).containsExactly(orders.line(5).name()))
                .hasEntrySatisfying(
                        "never published",
                        names ->
                                assertThat(names).containsExactly(orders.line(3).name()));
    }

    @Test
    void what_nobody_ordered_and_what_is_no_order_are_named() {
        addAllBut(-1);
        add(LINES);
        OrderLine first = orders.line(0);
        add(new OrderPlaced(first.invoice(), first.line(), first.lines(), first.customer(), new BigDecimal("0.01")));
        add(null);
        count.add("what".getBytes(StandardCharsets.UTF_8), "orders.placed-1@9");

        assertThat(count.result().differences().keySet())
                .containsExactlyInAnyOrder(
                        "published and never ordered",
                        "published otherwise than ordered",
                        "published twice",
                        "no order line on the topic at");
    }
}
