package dev.hapax.examples.shop;

import java.math.BigDecimal;

/**
 * The message that the shop publishes for each line.
 *
 * @param invoice the invoice's number
 * @param line the position in the invoice, from 1
 * @param lines how many lines the invoice has
 * @param customer who pays
 * @param amount in pounds, exact; negative if money goes back
 */
public record OrderPlaced(String invoice, int line, int lines, String customer, BigDecimal amount) {
    /** The topic of these messages. */
    public static final String TOPIC = "orders.placed";

    static OrderPlaced of(OrderLine order) {
        return new OrderPlaced(order.invoice(), order.line(), order.lines(), order.customer(), order.amount());
    }
}
