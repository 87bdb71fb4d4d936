package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderLine;
import java.util.SplittableRandom;

/**
 * The orders of a file as often as needed: first as they are, then again and again under new invoice numbers, each time beginning somewhere else. Customers and articles stay, so that their
 * totals grow on.
 *
 * <p>Immutable.
 */
public final class OrderPasses implements OrderBook {
    private static final char MARK = '~';
    private static final String PASS = "[1-9]\\d{0,8}";

    private final OrderFile file;
    private final int size;
    private final int[] begins;

    /**
     * Lays them one behind the other.
     *
     * @param file what is ordered in each pass
     * @param size how many lines there are to be, 1 or more
     * @param seed decides where each pass begins
     */
    public OrderPasses(OrderFile file, int size, long seed) {
        this.file = file;
        this.size = size;
        this.begins = new SplittableRandom(seed)
                .ints(1 + (size - 1) / file.size(), 0, file.size())
                .toArray();
        begins[0] = 0;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public OrderLine line(int number) {
        int pass = number / file.size();
        OrderLine line = file.line((number % file.size() + begins[pass]) % file.size());
        return pass == 0
                ? line
                : new OrderLine(
                        line.invoice() + MARK + pass,
                        line.line(),
                        line.lines(),
                        line.stockCode(),
                        line.quantity(),
                        line.unitPrice(),
                        line.customer());
    }

    @Override
    public int find(String invoice, int position) {
        int mark = invoice.lastIndexOf(MARK);
        boolean again = mark >= 0 && invoice.substring(mark + 1).matches(PASS);
        int pass = again ? Integer.parseInt(invoice.substring(mark + 1)) : 0;
        int inFile = file.find(again ? invoice.substring(0, mark) : invoice, position);
        if (inFile == NOWHERE || pass >= begins.length) {
            return NOWHERE;
        }
        int number = pass * file.size() + Math.floorMod(inFile - begins[pass], file.size());
        return number < size ? number : NOWHERE;
    }
}
