package dev.hapax.examples.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.hapax.examples.shop.OrderLine;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderFileTest {
    private static final String HEADER =
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    private static final String GOOD = "536365,85123A,T-LIGHT HOLDER,6,12/1/10 8:26,2.55,17850,United Kingdom\n";

    @Test
    void the_file_that_comes_with_the_demo_has_the_sums_that_are_known() {
        OrderFile orders = OrderFile.bundled();

        assertThat(orders.invoices()).isEqualTo(418);
        assertThat(orders.sums().lines()).isEqualTo(7_419);
        assertThat(orders.sums().quantity()).isEqualTo(62_667);
        assertThat(Sums.money(orders.sums().amount())).isEqualTo("150463.30");
    }

    @Test
    void no_two_lines_have_the_same_identity_even_where_they_are_equal_to_the_letter() {
        OrderFile orders = OrderFile.bundled();

        assertThat(orders.lines().stream().map(OrderLine::name)).doesNotHaveDuplicates();
        assertThat(orders.lines().stream()
                        .map(line -> List.of(line.invoice(), line.stockCode(), line.quantity(), line.unitPrice()))
                        .distinct()
                        .count())
                .isLessThan(orders.lines().size());
    }

    @Test
    void a_line_is_read_with_its_position_in_its_invoice() {
        OrderFile orders = parse(HEADER + GOOD + "C536366,M,Manual,-1,12/1/10 8:28,0.5,,France\n" + GOOD);

        assertThat(orders.lines())
                .containsExactly(
                        new OrderLine("536365", 1, 2, "85123A", 6, new BigDecimal("2.55"), "17850"),
                        new OrderLine("C536366", 1, 1, "M", -1, new BigDecimal("0.5"), OrderLine.GUEST),
                        new OrderLine("536365", 2, 2, "85123A", 6, new BigDecimal("2.55"), "17850"));
        assertThat(orders.sums().amount()).isEqualByComparingTo("30.10");
    }

    @Test
    void quoted_fields_may_hold_commas_quotes_and_line_ends() {
        OrderFile orders =
                parse(HEADER + "1,\"A,\"\"1\"\"\",\"two\nlines\",1,12/1/10 8:26,2.55,17850,\"UK\"\r\n" + GOOD.strip());

        assertThat(orders.lines()).extracting(OrderLine::stockCode).containsExactly("A,\"1\"", "85123A");
    }

    @Test
    void a_line_after_a_quoted_line_end_is_counted_as_an_editor_counts() {
        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> parse(HEADER + "1,A,\"two\nlines\",1,12/1/10 8:26,2.55,1,UK\nbroken\n"))
                .satisfies(broken -> assertThat(broken.line()).isEqualTo(4));
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "1,A,x,1,12/1/10 8:26,2.55,1 | has 7 fields",
                "1,A,x,1,12/1/10 8:26,2.55,1,UK,more | has 9 fields",
                "`` | has 1 fields",
                ",A,x,1,12/1/10 8:26,2.55,1,UK | InvoiceNo is ''",
                "1,,x,1,12/1/10 8:26,2.55,1,UK | StockCode is ''",
                "1,A,x,1.5,12/1/10 8:26,2.55,1,UK | Quantity is '1.5'",
                "1,A,x,12345678901,12/1/10 8:26,2.55,1,UK | Quantity is '12345678901'",
                "1,A,x,,12/1/10 8:26,2.55,1,UK | Quantity is ''",
                "1,A,x,1,2010-12-01,2.55,1,UK | InvoiceDate is '2010-12-01'",
                "1,A,x,1,12/1/10 8:26,2.5.5,1,UK | UnitPrice is '2.5.5'",
                "1,A,x,1,12/1/10 8:26,1e9,1,UK | UnitPrice is '1e9'",
                "1,A,x,1,12/1/10 8:26,NaN,1,UK | UnitPrice is 'NaN'",
                "1,A,\"x,1,12/1/10 8:26,2.55,1,UK | never ends",
                "1,A,\"x\"y,1,12/1/10 8:26,2.55,1,UK | closing quote",
                "1,A,7\" x,1,12/1/10 8:26,2.55,1,UK | not quoted",
            })
    void a_broken_line_is_refused_with_its_number(String line, String problem) {
        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> parse(HEADER + GOOD + line + "\n" + GOOD))
                .withMessageStartingWith("line 3: ")
                .withMessageContaining(problem);
    }

    @Test
    void what_is_not_utf_8_is_refused_with_its_number() {
        byte[] latin = (HEADER + GOOD + GOOD.replace("T-LIGHT", "\u00e9")).getBytes(StandardCharsets.ISO_8859_1);

        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> OrderFile.parse(latin))
                .withMessage("line 3: a field is not UTF-8 text");
    }

    @Test
    void a_file_without_the_header_or_without_lines_is_refused() {
        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> parse(GOOD))
                .withMessageStartingWith("line 1: the header must be");
        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> parse(""))
                .withMessageStartingWith("line 1: the header must be");
        assertThatExceptionOfType(BrokenOrdersException.class)
                .isThrownBy(() -> parse(HEADER))
                .withMessage("line 2: there is no order line");
    }

    private static OrderFile parse(String text) {
        return OrderFile.parse(text.getBytes(StandardCharsets.UTF_8));
    }
}
