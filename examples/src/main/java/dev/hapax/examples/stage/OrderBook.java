package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderLine;

/** What is ordered: lines by number, from 0. Immutable. */
public interface OrderBook {
    /** What {@link #find} answers for a line that is not in the book. */
    int NOWHERE = -1;

    /** {@return how many lines there are} */
    int size();

    /**
     * One line.
     *
     * @param number 0 or more, less than {@link #size()}
     * @return the line; no two have the same invoice and position
     */
    OrderLine line(int number);

    /**
     * The reverse of {@link #line}.
     *
     * @param invoice the invoice's number
     * @param position the position in the invoice, from 1
     * @return the line's number, or {@link #NOWHERE}
     */
    int find(String invoice, int position);
}
