package dev.hapax.examples.shop;

import java.math.BigDecimal;

/**
 * Money that goes from a customer's account to the shop, or back.
 *
 * @param invoice what it is for
 * @param account the customer's
 * @param amount in pounds, exact and positive
 */
public record Payment(String invoice, String account, BigDecimal amount) {}
