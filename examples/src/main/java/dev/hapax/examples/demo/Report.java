package dev.hapax.examples.demo;

import dev.hapax.examples.stage.BankAudit;
import dev.hapax.examples.stage.Published;
import dev.hapax.examples.stage.Sums;
import dev.hapax.examples.stage.Tally;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Says how a run ended: as a table for a person, as JSON for a program. */
final class Report {
    private static final String ROW = "  %-10s %16s %16s %16s";

    private Report() {}

    /** The table, line by line. */
    static List<String> table(DemoResult result) {
        Sums ordered = result.orders().sums();
        Sums applied = result.audit().applied();
        Sums billed = result.audit().billed();
        Tally tally = result.tally();
        Tally.Latencies latency = tally.latencies(result.orders().size());
        List<String> lines = new ArrayList<>();
        lines.add(row("", "in the file", "in the shop", "billed"));
        lines.add(row("lines", number(ordered.lines()), number(applied.lines()), number(billed.lines())));
        lines.add(row("quantity", number(ordered.quantity()), number(applied.quantity()), ""));
        lines.add(row("amount", money(ordered.amount()), money(applied.amount()), money(billed.amount())));
        lines.add("");
        lines.add("  took effect twice  " + number(result.audit().twice()));
        lines.add("  lost               " + number(result.audit().lost()));
        Published published = result.published();
        if (published != null) {
            lines.add("  on the topic       " + number(published.records()) + " records, "
                    + number(published.distinct()) + " different");
        }
        BankAudit bank = result.bank();
        if (bank != null) {
            lines.add("  at the bank        charged " + money(bank.charged()) + " in " + number(bank.charges())
                    + ", refunded " + money(bank.refunded()) + " in " + number(bank.refunds()) + "; twice "
                    + number(bank.twice()) + ", in doubt " + number(bank.inDoubt()));
        }
        lines.add("  requests           " + number(tally.sent()) + ", of which repeats " + number(tally.repeats())
                + ", answered as repeats " + number(tally.replayed()));
        lines.add("  kills              " + number(result.kills()));
        lines.add(String.format(
                Locale.ROOT,
                "  time               %.1f s from the first request until all was billed, %,.0f lines a second",
                result.seconds(),
                result.linesPerSecond()));
        lines.add(String.format(
                Locale.ROOT,
                "  latency            p50 %,.1f ms, p95 %,.1f ms, p99 %,.1f ms from a line's first request to its answer, restarts included",
                latency.p50(),
                latency.p95(),
                latency.p99()));
        lines.add("");
        lines.addAll(verdict(result));
        return lines;
    }

    private static List<String> verdict(DemoResult result) {
        if (result.isExact()) {
            return List.of("exact: each order line took effect once, to the penny"
                    + (result.published() == null ? "" : ", and was published once"));
        }
        List<String> lines = new ArrayList<>();
        lines.add("not exact; the differing keys (--data DIR keeps the rows, ./hapax db --data DIR shows them):");
        lines.addAll(result.differences().describe());
        return lines;
    }

    private static String row(String name, String file, String shop, String billing) {
        return String.format(Locale.ROOT, ROW, name, file, shop, billing).stripTrailing();
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String money(BigDecimal value) {
        String plain = Sums.money(value);
        int point = plain.indexOf('.');
        return String.format(Locale.ROOT, "%,d", new BigDecimal(plain).toBigInteger()) + plain.substring(point);
    }

    /** The same as JSON. Money is a string, so that no reader makes a binary fraction of it. */
    static void write(DemoResult result, Path file) throws IOException {
        Sums ordered = result.orders().sums();
        Sums applied = result.audit().applied();
        Sums billed = result.audit().billed();
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("verdict", result.verdict());
        Map<String, Object> orders = new LinkedHashMap<>();
        orders.put("invoices", result.orders().invoices());
        orders.putAll(sums(ordered));
        report.put("orders", orders);
        report.put("applied", sums(applied));
        Map<String, Object> billing = sums(billed);
        billing.remove("quantity");
        report.put("billed", billing);
        Published published = result.published();
        if (published != null) {
            Map<String, Object> topic = new LinkedHashMap<>();
            topic.put("records", published.records());
            topic.put("distinct", published.distinct());
            report.put("published", topic);
        }
        BankAudit bank = result.bank();
        if (bank != null) {
            report.put("bank", bank(bank));
        }
        report.put("twice", result.audit().twice());
        report.put("lost", result.audit().lost());
        report.put("sent", result.tally().sent());
        report.put("repeats", result.tally().repeats());
        report.put("replayed", result.tally().replayed());
        report.put("kills", result.kills());
        report.put("seconds", rounded(result.seconds(), 3));
        report.put("linesPerSecond", rounded(result.linesPerSecond(), 1));
        String json = JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(report);
        Files.writeString(file, json + "\n");
    }

    private static Map<String, Object> bank(BankAudit bank) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("charged", Sums.money(bank.charged()));
        map.put("refunded", Sums.money(bank.refunded()));
        map.put("charges", bank.charges());
        map.put("refunds", bank.refunds());
        map.put("twice", bank.twice());
        map.put("inDoubt", bank.inDoubt());
        return map;
    }

    private static Map<String, Object> sums(Sums sums) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("lines", sums.lines());
        map.put("quantity", sums.quantity());
        map.put("amount", Sums.money(sums.amount()));
        return map;
    }

    private static BigDecimal rounded(double value, int decimals) {
        return BigDecimal.valueOf(value).setScale(decimals, RoundingMode.HALF_UP);
    }
}
