package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderLine;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Holds what is in the database against what was ordered, row by row: each line in the shop and in billing, each customer's balance, each article's stock.
 *
 * @param ordered what was ordered
 * @param applied the rows of shop.order_line
 * @param billed the rows of billing.ledger; it knows no quantity
 * @param twice how many ordered lines took effect more than once, in the shop or in billing
 * @param lost how many ordered lines are missing, in the shop or in billing
 * @param differences what differs, by how it differs: keys of lines, customers, articles
 */
public record Audit(
        Sums ordered, Sums applied, Sums billed, long twice, long lost, Map<String, List<String>> differences) {

    /** What is found while it is looked at; by line: how often it is there, and whether it is what was ordered. */
    private static final class Counts {
        final OrderBook orders;
        final int lines;
        final int[] inShop;
        final int[] inLedger;
        final BitSet altered = new BitSet();
        final TreeSet<String> strangers = new TreeSet<>();
        final Map<String, List<String>> differences = new LinkedHashMap<>();
        Sums ordered = Sums.NONE;
        Sums applied = Sums.NONE;
        Sums billed = Sums.NONE;
        long twice;
        long lost;

        Counts(OrderBook orders, int lines) {
            this.orders = orders;
            this.lines = lines;
            this.inShop = new int[lines];
            this.inLedger = new int[lines];
        }

        void differs(String how, String what) {
            differences.computeIfAbsent(how, first -> new ArrayList<>()).add(what);
        }

        /** The line's number if it was ordered. */
        int find(String invoice, int position) {
            int number = orders.find(invoice, position);
            if (number >= 0 && number < lines) {
                return number;
            }
            strangers.add(invoice + "/" + position);
            return OrderBook.NOWHERE;
        }
    }

    /**
     * Looks at all rows, in one snapshot.
     *
     * @param connection to the database; what it was in is rolled back
     * @param orders what could be ordered
     * @param lines how many lines of it were ordered, from the first
     * @return what was found
     * @throws SQLException if the database can't be read
     */
    public static Audit of(Connection connection, OrderBook orders, int lines) throws SQLException {
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setReadOnly(true);
        connection.setAutoCommit(false);
        Counts counts = new Counts(orders, lines);
        readShop(connection, counts);
        readLedger(connection, counts);
        compareLines(counts);
        compareTotals(connection, counts);
        connection.rollback();
        return new Audit(
                counts.ordered,
                counts.applied,
                counts.billed,
                counts.twice,
                counts.lost,
                Collections.unmodifiableMap(counts.differences));
    }

    private static void readShop(Connection connection, Counts counts) throws SQLException {
        try (Statement statement = streaming(connection);
                ResultSet row = statement.executeQuery(
                        "SELECT invoice, line, stock_code, quantity, unit_price, customer FROM shop.order_line")) {
            while (row.next()) {
                OrderLine line = new OrderLine(
                        row.getString(1),
                        row.getInt(2),
                        0, // not stored
                        row.getString(3),
                        row.getLong(4),
                        row.getBigDecimal(5),
                        row.getString(6));
                counts.applied = counts.applied.plus(line.quantity(), line.amount());
                int number = counts.find(line.invoice(), line.line());
                if (number != OrderBook.NOWHERE) {
                    counts.inShop[number]++;
                    if (!same(line, counts.orders.line(number))) {
                        counts.altered.set(number);
                    }
                }
            }
        }
    }

    /** After a long run, more rows than fit into memory at once. */
    private static Statement streaming(Connection connection) throws SQLException {
        Statement statement = connection.createStatement();
        statement.setFetchSize(5_000);
        return statement;
    }

    private static boolean same(OrderLine one, OrderLine other) {
        return one.stockCode().equals(other.stockCode())
                && one.quantity() == other.quantity()
                && one.unitPrice().compareTo(other.unitPrice()) == 0
                && one.customer().equals(other.customer());
    }

    private static void readLedger(Connection connection, Counts counts) throws SQLException {
        try (Statement statement = streaming(connection);
                ResultSet row = statement.executeQuery("SELECT invoice, line, amount FROM billing.ledger")) {
            while (row.next()) {
                BigDecimal amount = row.getBigDecimal(3);
                counts.billed = counts.billed.plus(0, amount);
                int number = counts.find(row.getString(1), row.getInt(2));
                if (number != OrderBook.NOWHERE) {
                    counts.inLedger[number]++;
                    if (counts.orders.line(number).amount().compareTo(amount) != 0) {
                        counts.altered.set(number);
                    }
                }
            }
        }
    }

    /** In the order of the book; what isn't in it comes last. */
    private static void compareLines(Counts counts) {
        for (int number = 0; number < counts.lines; number++) {
            OrderLine line = counts.orders.line(number);
            counts.ordered = counts.ordered.plus(line.quantity(), line.amount());
            if (counts.inShop[number] > 1 || counts.inLedger[number] > 1) {
                counts.twice++;
                counts.differs("took effect twice", line.name());
            }
            if (counts.inShop[number] == 0 || counts.inLedger[number] == 0) {
                counts.lost++;
                counts.differs("lost", line.name());
            }
            if (counts.altered.get(number)) {
                counts.differs("stored otherwise than ordered", line.name());
            }
        }
        counts.strangers.forEach(name -> counts.differs("never ordered", name));
    }

    private static void compareTotals(Connection connection, Counts counts) throws SQLException {
        Map<String, BigDecimal> balances = new HashMap<>();
        Map<String, BigDecimal> stock = new HashMap<>();
        for (int number = 0; number < counts.lines; number++) {
            OrderLine line = counts.orders.line(number);
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

    /** {@return whether the rows are what was ordered: each line once, to the penny} */
    public boolean isExact() {
        return differences.isEmpty()
                && twice == 0
                && lost == 0
                && applied.lines() == ordered.lines()
                && applied.quantity() == ordered.quantity()
                && applied.amount().compareTo(ordered.amount()) == 0
                && billed.lines() == ordered.lines()
                && billed.amount().compareTo(ordered.amount()) == 0;
    }
}
