package dev.hapax.examples.shop;

import java.math.BigDecimal;

/**
 * One line of an order, as the client sends it.
 *
 * @param invoice the invoice's number; one that starts with C is a cancellation
 * @param line its position in the invoice, from 1; lines that are equal to the letter differ in this
 * @param lines how many lines the invoice has
 * @param stockCode what is ordered
 * @param quantity how many; negative in a cancellation
 * @param unitPrice in pounds, exact
 * @param customer the customer's number, or {@link #GUEST}
 */
public record OrderLine(
        String invoice, int line, int lines, String stockCode, long quantity, BigDecimal unitPrice, String customer) {
    /** Stands for all who bought without an account: their orders carry no customer's number. */
    public static final String GUEST = "guest";

    /** {@return quantity times price, exact; negative if money goes back} */
    public BigDecimal amount() {
        return unitPrice.multiply(BigDecimal.valueOf(quantity));
    }

    /**
     * The same line of an invoice of another size.
     *
     * @param size how many lines the invoice has
     * @return the line
     */
    public OrderLine withLines(int size) {
        return new OrderLine(invoice, line, size, stockCode, quantity, unitPrice, customer);
    }

    /** {@return what a person calls this line: invoice/position} */
    public String name() {
        return invoice + "/" + line;
    }
}
