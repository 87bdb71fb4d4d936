package dev.hapax.examples.stage;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Holds the bank's books against what was ordered, invoice by invoice, and the shop's own book of payments against the bank's.
 *
 * @param charged what the bank has taken from customers
 * @param refunded what it has given back
 * @param charges how many bookings of the first kind
 * @param refunds how many of the second
 * @param twice how many invoices were charged or refunded more than once
 * @param inDoubt how many operations at the bank nobody knows the end of
 * @param differences what differs, by how it differs: invoices
 */
public record BankAudit(
        BigDecimal charged,
        BigDecimal refunded,
        long charges,
        long refunds,
        long twice,
        long inDoubt,
        Map<String, List<String>> differences) {

    /** Of one invoice: how often, and how much in all; less than nothing if it went back. */
    private record Booked(long times, BigDecimal amount) {
        static final Booked NOTHING = new Booked(0, BigDecimal.ZERO);
    }

    /**
     * Looks at all rows.
     *
     * @param bank to the bank's database
     * @param shop to the shop's database
     * @param orders what was ordered, all of it
     * @param naive whether the shop did without Hapax: then it keeps no book of payments
     * @return what was found
     * @throws SQLException if a database can't be read
     */
    public static BankAudit of(Connection bank, Connection shop, OrderFile orders, boolean naive) throws SQLException {
        Map<String, List<String>> differences = new LinkedHashMap<>();
        Map<String, Booked> atBank = read(bank, """
                SELECT invoice, count(*), sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END)
                FROM booking GROUP BY invoice""");
        Map<String, BigDecimal> due = orders.totals();
        compare(differences, "at the bank", due, atBank);
        if (!naive) {
            compare(
                    differences,
                    "in the book of payments",
                    due,
                    read(shop, "SELECT invoice, count(*), sum(amount) FROM billing.payment GROUP BY invoice"));
        }
        Booked charges = sum(bank, "charge");
        Booked refunds = sum(bank, "refund");
        return new BankAudit(
                charges.amount(),
                refunds.amount(),
                charges.times(),
                refunds.times(),
                atBank.values().stream().filter(booked -> booked.times() > 1).count(),
                naive ? 0 : count(shop, "SELECT count(*) FROM hapax.claim WHERE doubt_since IS NOT NULL"),
                Collections.unmodifiableMap(differences));
    }

    private static void compare(
            Map<String, List<String>> differences,
            String where,
            Map<String, BigDecimal> due,
            Map<String, Booked> found) {
        TreeSet<String> invoices = new TreeSet<>(due.keySet());
        invoices.addAll(found.keySet());
        for (String invoice : invoices) {
            BigDecimal should = due.getOrDefault(invoice, BigDecimal.ZERO);
            Booked is = found.getOrDefault(invoice, Booked.NOTHING);
            if (is.times() > 1) {
                note(differences, "booked twice " + where, invoice);
            } else if (is.times() == 0 && should.signum() != 0) {
                note(differences, "not booked " + where, invoice);
            } else if (is.amount().compareTo(should) != 0) {
                note(differences, "booked otherwise than ordered " + where, invoice);
            }
        }
    }

    private static void note(Map<String, List<String>> differences, String how, String invoice) {
        differences.computeIfAbsent(how, first -> new ArrayList<>()).add(invoice);
    }

    private static Map<String, Booked> read(Connection connection, String query) throws SQLException {
        Map<String, Booked> booked = new TreeMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                booked.put(row.getString(1), new Booked(row.getLong(2), row.getBigDecimal(3)));
            }
        }
        return booked;
    }

    private static Booked sum(Connection bank, String kind) throws SQLException {
        return read(bank, "SELECT kind, count(*), sum(amount) FROM booking GROUP BY kind")
                .getOrDefault(kind, Booked.NOTHING);
    }

    private static long count(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    /** {@return whether each invoice was paid once, to the penny, and nobody is in doubt of any} */
    public boolean isExact() {
        return differences.isEmpty() && twice == 0 && inDoubt == 0;
    }
}
