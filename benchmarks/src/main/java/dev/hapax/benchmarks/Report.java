package dev.hapax.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a benchmark says, to a person line by line and to a program at the end. Not safe for use by many threads. */
final class Report {

    private static final String ROW = "    %-58s %12s %12s %12s  %s%n";

    private final PrintStream out;
    private final boolean judges;
    private final Map<String, Object> settings = new LinkedHashMap<>();
    private final List<Map<String, Object>> figures = new ArrayList<>();
    private final List<String> checks = new ArrayList<>();
    private String part = "";
    private boolean missed;

    /** @param judges whether a missed target counts */
    Report(PrintStream out, boolean judges) {
        this.out = out;
        this.judges = judges;
    }

    void title(Benchmark benchmark, Plan plan) {
        out.printf(Locale.ROOT, "%s: %s%n", benchmark.name(), benchmark.about());
        setting(
                "method",
                String.format(
                        Locale.ROOT,
                        "%d rounds of %s s a side, in turn, in slices of %d ms",
                        plan.rounds(),
                        number(plan.seconds()),
                        plan.slice().toMillis()));
    }

    /** States a setting that the figures depend on. */
    void setting(String name, Object value) {
        settings.put(name, value);
        out.printf(Locale.ROOT, "  %s: %s%n", name, value);
    }

    /** Begins a part, such as a number of threads. */
    void part(String name) {
        part = name;
        out.printf(Locale.ROOT, "%n  %s%n", name);
        out.printf(Locale.ROOT, ROW, "", "minimum", "median", "maximum", "");
    }

    /** A figure without a target. */
    void figure(String name, Spread spread) {
        add(name, spread, null);
    }

    /** A figure whose median is judged. */
    void figure(String name, Spread spread, Target target) {
        add(name, spread, target);
    }

    private void add(String name, Spread spread, @Nullable Target target) {
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("part", part);
        figure.put("name", name);
        figure.put("minimum", spread.min());
        figure.put("median", spread.median());
        figure.put("maximum", spread.max());
        figure.put("rounds", spread.values());
        String verdict = "";
        if (target != null) {
            boolean met = target.isMetBy(spread.median());
            missed |= !met;
            figure.put("target", target.toString());
            if (judges) {
                figure.put("met", met);
            }
            verdict = "target " + target + (judges ? met ? ", met" : ", MISSED" : ", not judged");
        }
        figures.add(figure);
        out.printf(
                Locale.ROOT, ROW, name, number(spread.min()), number(spread.median()), number(spread.max()), verdict);
        out.flush();
    }

    /** What was counted in the database and found right. */
    void checked(String format, Object... arguments) {
        String line = String.format(Locale.ROOT, format, arguments);
        checks.add(line);
        out.printf(Locale.ROOT, "    checked: %s%n", line);
    }

    /** A line of progress. */
    void say(String format, Object... arguments) {
        out.printf(Locale.ROOT, "  " + format + "%n", arguments);
        out.flush();
    }

    boolean isMissed() {
        return judges && missed;
    }

    Map<String, Object> toMap(Benchmark benchmark) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("benchmark", benchmark.name());
        all.put("about", benchmark.about());
        all.put("settings", settings);
        all.put("figures", figures);
        all.put("checked", checks);
        if (judges) {
            all.put("met", !missed);
        }
        return all;
    }

    static String number(double value) {
        double size = Math.abs(value);
        String format = size >= 1000 ? "%,.0f" : size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.3f";
        String text = String.format(Locale.ROOT, format, value);
        return size < 10 ? text.replaceAll("\\.?0+$", "") : text;
    }
}
