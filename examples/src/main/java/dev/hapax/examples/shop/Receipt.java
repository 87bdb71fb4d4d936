package dev.hapax.examples.shop;

import java.math.BigDecimal;

/**
 * The shop's answer. What it says of the stock was true when the line took effect; a repeat is told the same, however much was sold since.
 *
 * @param invoice the invoice's number
 * @param line the position in the invoice, from 1
 * @param amount in pounds, exact
 * @param stockLeft what the line left of its article
 */
public record Receipt(String invoice, int line, BigDecimal amount, long stockLeft) {}
