package dev.hapax.examples.stage;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What is counted of order lines, in the file as in the database.
 *
 * @param lines how many
 * @param quantity all quantities together
 * @param amount in pounds, exact
 */
public record Sums(long lines, long quantity, BigDecimal amount) {
    /** Of no lines. */
    public static final Sums NONE = new Sums(0, 0, BigDecimal.ZERO);

    /**
     * One line more.
     *
     * @param moreQuantity its quantity
     * @param moreAmount its amount
     * @return the sums with it
     */
    public Sums plus(long moreQuantity, BigDecimal moreAmount) {
        return new Sums(lines + 1, quantity + moreQuantity, amount.add(moreAmount));
    }

    /**
     * The amount as money is written: to the penny, and further only where that is not exact.
     *
     * @param amount in pounds
     * @return it in digits, without separators of thousands
     */
    public static String money(BigDecimal amount) {
        BigDecimal shortest = amount.signum() == 0 ? BigDecimal.ZERO : amount.stripTrailingZeros();
        return shortest.setScale(Math.max(2, shortest.scale()), RoundingMode.UNNECESSARY)
                .toPlainString();
    }
}
