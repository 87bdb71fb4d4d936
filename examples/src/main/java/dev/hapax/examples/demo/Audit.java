package dev.hapax.examples.demo;

import dev.hapax.examples.shop.OrderLine;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Holds what is in the database against what is in the file, row by row: each line in the shop and in billing, each customer's balance, each article's stock.
 *
 * <p>Immutable.
 */
final class Audit {
    private final Sums applied;
    private final Sums billed;
    private final long twice;
    private final long lost;
    private final Map<String, List<String>> differences;

    private Audit(Counts counts) {
        this.applied = counts.applied;
        this.billed = counts.billed;
        this.twice = counts.twice;
        this.lost = counts.lost;
        this.differences = Collections.unmodifiableMap(counts.differences);
    }

    /** What is found while it is looked at. */
    private static final class Counts {
        Sums applied = Sums.NONE;
        Sums billed = Sums.NONE;
        long twice;
        long lost;
        final Map<String, List<String>> differences = new LinkedHashMap<>();

        void differs(String how, String what) {
            differences.computeIfAbsent(how, first -> new ArrayList<>()).add(what);
        }
    }

    /** What is known of one line: in the file, in the shop, in billing. */
    private static final class Traces {
        @Nullable
        OrderLine ordered;

        int applied;
        int billed;
        boolean altered;
    }

    /**
     * Looks at all rows, in one snapshot.
     *
     * @throws SQLException if the database can't be read
     */
    static Audit of(Connection connection, OrderFile orders) throws SQLException {
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setReadOnly(true);
        connection.setAutoCommit(false);
        Counts counts = new Counts();
        Map<String, Traces> traces = new HashMap<>();
        for (OrderLine line : orders.lines()) {
            traces.computeIfAbsent(line.name(), name -> new Traces()).ordered = line;
        }
        readShop(connection, counts, traces);
        readLedger(connection, counts, traces);
        compareLines(counts, orders, traces);
        compareTotals(connection, counts, orders);
        connection.rollback();
        return new Audit(counts);
    }

    private static void readShop(Connection connection, Counts counts, Map<String, Traces> traces) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT invoice, line, stock_code, quantity, unit_price, customer FROM shop.order_line")) {
            while (row.next()) {
                OrderLine line = new OrderLine(
                        row.getString(1),
                        row.getInt(2),
                        row.getString(3),
                        row.getLong(4),
                        row.getBigDecimal(5),
                        row.getString(6));
                counts.applied = counts.applied.plus(line.quantity(), line.amount());
                Traces trace = traces.computeIfAbsent(line.name(), name -> new Traces());
                trace.applied++;
                trace.altered |= trace.ordered != null && !same(line, trace.ordered);
            }
        }
    }

    private static boolean same(OrderLine one, OrderLine other) {
        return one.stockCode().equals(other.stockCode())
                && one.quantity() == other.quantity()
                && one.unitPrice().compareTo(other.unitPrice()) == 0
                && one.customer().equals(other.customer());
    }

    private static void readLedger(Connection connection, Counts counts, Map<String, Traces> traces)
            throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT invoice, line, amount FROM billing.ledger")) {
            while (row.next()) {
                BigDecimal amount = row.getBigDecimal(3);
                counts.billed = counts.billed.plus(0, amount);
                Traces trace = traces.computeIfAbsent(row.getString(1) + "/" + row.getInt(2), name -> new Traces());
                trace.billed++;
                trace.altered |= trace.ordered != null && trace.ordered.amount().compareTo(amount) != 0;
            }
        }
    }

    /** In the order of the file; what isn't in the file comes last. */
    private static void compareLines(Counts counts, OrderFile orders, Map<String, Traces> traces) {
        for (OrderLine line : orders.lines()) {
            compare(counts, line.name(), Objects.requireNonNull(traces.remove(line.name())));
        }
        for (String name : new TreeSet<>(traces.keySet())) {
            counts.differs("never ordered", name);
        }
    }

    private static void compare(Counts counts, String name, Traces trace) {
        if (trace.applied > 1 || trace.billed > 1) {
            counts.twice++;
            counts.differs("took effect twice", name);
        }
        if (trace.applied == 0 || trace.billed == 0) {
            counts.lost++;
            counts.differs("lost", name);
        }
        if (trace.altered) {
            counts.differs("stored otherwise than ordered", name);
        }
    }

    private static void compareTotals(Connection connection, Counts counts, OrderFile orders) throws SQLException {
        Map<String, BigDecimal> balances = new HashMap<>();
        Map<String, BigDecimal> stock = new HashMap<>();
        for (OrderLine line : orders.lines()) {
            balances.merge(line.customer(), line.amount(), BigDecimal::add);
            stock.merge(line.stockCode(), BigDecimal.valueOf(-line.quantity()), BigDecimal::add);
        }
        compare(
                counts,
                "wrong balance of customer",
                balances,
                read(connection, "SELECT customer, amount FROM billing.balance"));
        compare(counts, "wrong stock of", stock, read(connection, "SELECT stock_code, quantity FROM shop.stock"));
    }

    private static Map<String, BigDecimal> read(Connection connection, String query) throws SQLException {
        Map<String, BigDecimal> values = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                values.put(row.getString(1), row.getBigDecimal(2));
            }
        }
        return values;
    }

    private static void compare(
            Counts counts, String what, Map<String, BigDecimal> ordered, Map<String, BigDecimal> found) {
        TreeSet<String> names = new TreeSet<>(ordered.keySet());
        names.addAll(found.keySet());
        for (String name : names) {
            BigDecimal should = ordered.getOrDefault(name, BigDecimal.ZERO);
            BigDecimal is = found.getOrDefault(name, BigDecimal.ZERO);
            if (should.compareTo(is) != 0) {
                counts.differs(what, name + " (" + is.toPlainString() + " instead of " + should.toPlainString() + ")");
            }
        }
    }

    /** {@return the rows of shop.order_line} */
    Sums applied() {
        return applied;
    }

    /** {@return the rows of billing.ledger; it knows no quantity} */
    Sums billed() {
        return billed;
    }

    /** {@return how many ordered lines took effect more than once, in the shop or in billing} */
    long twice() {
        return twice;
    }

    /** {@return how many ordered lines are missing, in the shop or in billing} */
    long lost() {
        return lost;
    }

    /** {@return what differs, by how it differs: keys of lines, customers, articles} */
    Map<String, List<String>> differences() {
        return differences;
    }
}
