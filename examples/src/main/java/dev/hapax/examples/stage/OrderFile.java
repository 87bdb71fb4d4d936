package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderLine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The orders of a file, whole and checked. A line's identity is its invoice and its position in it; its number is its place in the file.
 *
 * <p>Immutable.
 */
public final class OrderFile implements OrderBook {
    private static final String BUNDLED = "/dev/hapax/examples/online-retail.csv";
    private static final List<String> HEADER = List.of(
            "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country");
    private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}]{1,50}");
    private static final Pattern QUANTITY = Pattern.compile("-?\\d{1,9}");
    private static final Pattern PRICE = Pattern.compile("-?\\d{1,9}(\\.\\d{1,6})?");
    private static final Pattern DATE = Pattern.compile("\\d{1,2}/\\d{1,2}/(\\d{2}|\\d{4}) \\d{1,2}:\\d{2}");
    private static final long BYTES_MAX = 200L << 20;
    private static final int LINES_MAX = 1_000_000;

    private final List<OrderLine> lines;
    /** By invoice, the numbers of its lines in the order of their positions. */
    private final Map<String, List<Integer>> invoices;

    private final Sums sums;

    private OrderFile(List<OrderLine> read) {
        Map<String, Integer> sizes = new HashMap<>();
        read.forEach(line -> sizes.merge(line.invoice(), 1, Integer::sum));
        this.lines = read.stream()
                .map(line -> line.withLines(sizes.getOrDefault(line.invoice(), 0)))
                .toList();
        this.invoices = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            invoices.computeIfAbsent(lines.get(i).invoice(), first -> new ArrayList<>())
                    .add(i);
        }
        this.sums = lines.stream()
                .reduce(Sums.NONE, (sum, line) -> sum.plus(line.quantity(), line.amount()), (one, other) -> other);
    }

    /** {@return the orders that come with the demo} */
    public static OrderFile bundled() {
        try (InputStream in = OrderFile.class.getResourceAsStream(BUNDLED)) {
            if (in == null) {
                throw new IllegalStateException("the shop is not whole: " + BUNDLED + " is missing from it");
            }
            return parse(in.readAllBytes());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /**
     * Reads the orders of a file.
     *
     * @param file comma-separated values in UTF-8, with the columns of the file that comes with the demo
     * @return the orders
     * @throws BrokenOrdersException at the first line that is not well-formed, or if there are none
     * @throws IOException if the file can't be read
     */
    public static OrderFile read(Path file) throws IOException {
        if (Files.size(file) > BYTES_MAX) {
            throw new IOException("it is larger than " + (BYTES_MAX >> 20) + " MiB");
        }
        return parse(Files.readAllBytes(file));
    }

    static OrderFile parse(byte[] bytes) {
        CsvReader reader = new CsvReader(bytes);
        CsvReader.Row header = reader.next();
        if (header == null || !header.fields().equals(HEADER)) {
            throw new BrokenOrdersException(1, "the header must be " + String.join(",", HEADER));
        }
        List<OrderLine> lines = new ArrayList<>();
        Map<String, Integer> positions = new HashMap<>();
        for (CsvReader.Row row = reader.next(); row != null; row = reader.next()) {
            if (lines.size() == LINES_MAX) {
                throw new BrokenOrdersException(row.line(), "there are more than " + LINES_MAX + " order lines");
            }
            lines.add(order(row, positions));
        }
        if (lines.isEmpty()) {
            throw new BrokenOrdersException(2, "there is no order line");
        }
        return new OrderFile(lines);
    }

    private static OrderLine order(CsvReader.Row row, Map<String, Integer> positions) {
        if (row.fields().size() != HEADER.size()) {
            throw new BrokenOrdersException(
                    row.line(), "it has " + row.fields().size() + " fields; there must be " + HEADER.size());
        }
        String invoice = field(row, 0, NAME, "1 to 50 characters");
        String stockCode = field(row, 1, NAME, "1 to 50 characters");
        long quantity = Long.parseLong(field(row, 3, QUANTITY, "a whole number of at most 9 digits"));
        field(row, 4, DATE, "a date such as 12/1/10 8:26");
        BigDecimal price = new BigDecimal(field(row, 5, PRICE, "a decimal number of at most 9 digits and 6 decimals"));
        String customer = row.fields().get(6).isEmpty() ? OrderLine.GUEST : field(row, 6, NAME, "0 to 50 characters");
        int position = positions.merge(invoice, 1, Integer::sum);
        return new OrderLine(invoice, position, 0, stockCode, quantity, price, customer);
    }

    private static String field(CsvReader.Row row, int column, Pattern allowed, String what) {
        String value = row.fields().get(column);
        if (!allowed.matcher(value).matches()) {
            throw new BrokenOrdersException(
                    row.line(), HEADER.get(column) + " is '" + shown(value) + "'; it must be " + what);
        }
        return value;
    }

    /** A value from a file may hold anything; a terminal gets only what it can show. */
    private static String shown(String value) {
        String printable = value.replaceAll("\\p{Cntrl}", "?");
        return printable.length() <= 60 ? printable : printable.substring(0, 60) + "...";
    }

    /** {@return the order lines, in the order of the file} */
    public List<OrderLine> lines() {
        return lines;
    }

    @Override
    public int size() {
        return lines.size();
    }

    @Override
    public OrderLine line(int number) {
        return lines.get(number);
    }

    @Override
    public int find(String invoice, int position) {
        List<Integer> numbers = invoices.getOrDefault(invoice, List.of());
        return position >= 1 && position <= numbers.size() ? numbers.get(position - 1) : NOWHERE;
    }

    /**
     * The beginning of this, as a file of its own.
     *
     * @param count the most lines
     * @return those lines
     */
    public OrderFile first(int count) {
        return new OrderFile(lines.subList(0, Math.min(count, lines.size())));
    }

    /** {@return how many invoices there are} */
    public int invoices() {
        return invoices.size();
    }

    /** {@return by invoice, what is to be paid; negative if money goes back} */
    public Map<String, BigDecimal> totals() {
        Map<String, BigDecimal> totals = new HashMap<>();
        lines.forEach(line -> totals.merge(line.invoice(), line.amount(), BigDecimal::add));
        return totals;
    }

    /** {@return all lines together} */
    public Sums sums() {
        return sums;
    }
}
