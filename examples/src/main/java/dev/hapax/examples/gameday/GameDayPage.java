package dev.hapax.examples.gameday;

import dev.hapax.examples.gameday.BarPlot.Bar;
import dev.hapax.examples.gameday.TimePlot.Line;
import dev.hapax.examples.stage.Sums;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A game day as one page that needs nothing else: no script, no network. Its colours follow the reader's; what plots show stands in tables as well. */
final class GameDayPage {
    /** As many faults as bars can be told apart; of more, each kind's worst is shown. */
    private static final int BARS_MAX = 40;

    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --paper: #ffffff; --grid: #d1d9e0;
              --one: #0b62c4; --two: #b35900; --bad: #b3261e; --good: #1a7f37; --band: #b3261e2e; --after: #b3261e14; }
            @media (prefers-color-scheme: dark) {
              :root { --ink: #e6edf3; --faint: #9aa4ae; --paper: #0d1117; --grid: #30363d;
                --one: #6cb2ff; --two: #ffb366; --bad: #ff8a80; --good: #56d364; --band: #ff8a8040; --after: #ff8a8020; }
            }
            body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
            h1 .exact { color: var(--good); } h1 .not-exact { color: var(--bad); }
            figure { margin: 1.5rem 0; } figcaption { color: var(--faint); margin-bottom: .5rem; }
            svg { width: 100%; height: auto; display: block; }
            svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .tick { fill: var(--faint); font-size: 12px; }
            svg .fault text { font-size: 11px; fill: var(--bad); }
            .line { fill: none; stroke-width: 1.8; } .one { stroke: var(--one); } .two { stroke: var(--two); stroke-dasharray: 5 3; }
            .grid { stroke: var(--grid); stroke-width: 1; } .struck { fill: var(--band); } .after { fill: var(--after); }
            .bar { stroke: none; fill: var(--one); } .bar.bad { fill: var(--bad); } .bar.two { fill: var(--two); }
            table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--grid); vertical-align: top; }
            td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } .scroll { overflow-x: auto; } code { overflow-wrap: anywhere; }
            """;

    private final GameDayResult result;
    private final Markup out = new Markup();

    private GameDayPage(GameDayResult result) {
        this.result = result;
    }

    static String of(GameDayResult result) {
        GameDayPage page = new GameDayPage(result);
        page.head();
        page.counts();
        page.plots();
        page.faults();
        page.violations();
        page.again();
        return page.out.raw("</main>\n</body>\n</html>\n").toString();
    }

    private void head() {
        out.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
                .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
                .element("title", "Game day: " + result.verdict())
                .raw("<style>\n")
                .raw(STYLE)
                .raw("</style>\n</head>\n<body>\n<main>\n");
        out.raw(
                "<h1>Game day: <span class=\"%s\">%s</span></h1>\n",
                result.isExact() ? "exact" : "not-exact", result.verdict());
        GameDayPlan plan = result.plan();
        out.element(
                "p",
                String.format(
                        Locale.ROOT,
                        "%s of fresh orders at %,d lines a second, %.0f %% of them repeated by the client%s; %,d faults; seed %d.",
                        GameDayReport.time(plan.time()),
                        plan.load().rate(),
                        plan.load().repeats() * 100,
                        plan.naive() ? ", without Hapax" : "",
                        result.incidents().size(),
                        plan.load().seed()));
    }

    private void counts() {
        Sums ordered = result.audit().ordered();
        Sums applied = result.audit().applied();
        Sums billed = result.audit().billed();
        out.element("h2", "What took effect");
        out.element(
                "p", "Counted in the rows of the database when all was quiet; requests and repeats are the client's.");
        List<Bar> bars = List.of(
                bar("ordered", "", ordered.lines()),
                bar("applied (rows of the shop)", "", applied.lines()),
                bar("billed (rows of the ledger)", "", billed.lines()),
                bar("repeated requests", "two", result.tally().repeats()),
                bar("took effect twice", "bad", result.audit().twice()),
                bar("lost", "bad", result.audit().lost()));
        figure(
                "",
                new BarPlot("What took effect", "Bars for ordered, applied, billed, repeated, twice and lost")
                        .svg(bars));
        out.element(
                "p",
                "Money ordered " + Sums.money(ordered.amount()) + ", applied " + Sums.money(applied.amount())
                        + ", billed " + Sums.money(billed.amount()) + ".");
    }

    private static Bar bar(String name, String style, long value) {
        return new Bar(name, style, value, GameDayReport.number(value));
    }

    private void figure(String caption, String svg) {
        out.raw("<figure>\n");
        if (!caption.isEmpty()) {
            out.element("figcaption", caption);
        }
        out.raw(svg).raw("</figure>\n");
    }

    private double[] series(ToDoubleFunction<Course.Step> value) {
        return result.course().steps().stream().mapToDouble(value).toArray();
    }

    private void plots() {
        Course course = result.course();
        out.element("h2", "How it went");
        figure(
                "Each band is a fault, with its number in the table below: dark while its cause lasted, light until fresh work was back at 80 % of its rate.",
                new TimePlot(
                                "Throughput",
                                "Order lines answered and messages billed a second, over time",
                                "lines a second",
                                false)
                        .svg(
                                course,
                                result.incidents(),
                                List.of(
                                        new Line("answered", "one", series(Course.Step::answered)),
                                        new Line("billed", "two", series(Course.Step::billed)))));
        figure(
                "From a line's first request to its answer, however often it was asked for.",
                new TimePlot(
                                "Latency",
                                "Half of the order lines, and 99 of 100, took no longer than this, over time",
                                "milliseconds",
                                true)
                        .svg(
                                course,
                                result.incidents(),
                                List.of(
                                        new Line("p50", "one", series(Course.Step::p50Millis)),
                                        new Line("p99", "two", series(Course.Step::p99Millis)))));
        out.element("h2", "Recovery");
        figure(
                "From the end of the fault to the begin of the first second with fresh work at 80 % of its rate, or more.",
                new BarPlot("Recovery time", "A bar for each fault, or for the worst of each kind where there are many")
                        .svg(recoveries()));
    }

    private List<Bar> recoveries() {
        List<Incident> incidents = result.incidents();
        if (incidents.size() <= BARS_MAX) {
            return IntStream.range(0, incidents.size())
                    .mapToObj(i ->
                            recovery((i + 1) + ": " + incidents.get(i).kind().flag(), incidents.get(i), ""))
                    .toList();
        }
        List<Bar> bars = new ArrayList<>();
        for (FaultKind kind : FaultKind.values()) {
            List<Incident> some = incidents.stream()
                    .filter(incident -> incident.kind() == kind)
                    .sorted((one, other) -> seconds(other).compareTo(seconds(one)))
                    .toList();
            if (!some.isEmpty()) {
                bars.add(recovery(kind.flag(), some.getFirst(), ", the worst of " + some.size()));
            }
        }
        return bars;
    }

    private static Duration seconds(Incident incident) {
        return incident.recovery().orElse(Faults.PATIENCE);
    }

    private static Bar recovery(String name, Incident incident, String more) {
        boolean over = incident.recovery().isPresent();
        String shown =
                over ? GameDayReport.seconds(seconds(incident)) : "none within " + Faults.PATIENCE.toSeconds() + " s";
        return new Bar(name, over ? "" : "bad", seconds(incident).toMillis() / 1e3, shown + more);
    }

    private void faults() {
        out.element("h2", "Faults").raw("<div class=\"scroll\">\n<table>\n<thead>\n<tr>");
        out.raw(
                "<th class=\"n\">#</th><th class=\"n\">at</th><th>fault</th><th>hit</th><th class=\"n\">lasted</th><th class=\"n\">recovery</th>");
        out.raw("</tr>\n</thead>\n<tbody>\n");
        for (int i = 0; i < result.incidents().size(); i++) {
            Incident incident = result.incidents().get(i);
            out.raw("<tr>")
                    .element("td", "class=\"n\"", Integer.toString(i + 1))
                    .element("td", "class=\"n\"", GameDayReport.seconds(incident.at()))
                    .element("td", incident.kind().flag())
                    .element("td", incident.hit())
                    .element("td", "class=\"n\"", GameDayReport.seconds(incident.lasted()))
                    .element(
                            "td",
                            "class=\"n\"",
                            incident.recovery().map(GameDayReport::seconds).orElse("none"))
                    .raw("</tr>\n");
        }
        out.raw("</tbody>\n</table>\n</div>\n");
        if (!result.missing().isEmpty()) {
            out.element(
                    "p",
                    "No time was left for: "
                            + result.missing().stream().map(FaultKind::flag).collect(Collectors.joining(", ")) + ".");
        }
        out.raw("<dl>\n");
        Arrays.stream(FaultKind.values())
                .filter(kind -> result.incidents().stream().anyMatch(incident -> incident.kind() == kind))
                .forEach(kind -> out.element("dt", kind.flag()).element("dd", kind.sentence()));
        out.raw("</dl>\n");
    }

    private void violations() {
        List<String> violations = result.violations();
        out.element("h2", "Violations");
        if (violations.isEmpty()) {
            out.element("p", "None.");
            return;
        }
        out.raw("<ul>\n");
        violations.forEach(violation -> out.element("li", violation));
        out.raw("</ul>\n");
    }

    private void again() {
        GameDayPlan plan = result.plan();
        String kinds = plan.kinds().stream().map(FaultKind::flag).collect(Collectors.joining(","));
        out.element("h2", "Once more")
                .element(
                        "code",
                        String.format(
                                Locale.ROOT,
                                "./hapax gameday --minutes %s --rate %d --repeats %s --faults %s --seed %d%s",
                                plan.time().toMillis() / 60_000.0,
                                plan.load().rate(),
                                plan.load().repeats(),
                                kinds,
                                plan.load().seed(),
                                plan.naive() ? " --naive" : ""));
    }
}
