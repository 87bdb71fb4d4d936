package dev.hapax.examples.gameday;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Tally;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/** Says how a game day ended: as a table for a person, as a page with plots, as JSON for a program. */
final class GameDayReport {
    private static final int SHOWN_MAX = 20;

    private GameDayReport() {}

    /** The table, line by line. */
    static List<String> table(GameDayResult result) {
        Audit audit = result.audit();
        Tally tally = result.tally();
        List<String> lines = new ArrayList<>();
        lines.add(row("at", "fault", "lasted", "recovery", "hit"));
        result.incidents().stream().limit(SHOWN_MAX).forEach(incident -> lines.add(row(incident)));
        if (result.incidents().size() > SHOWN_MAX) {
            lines.add("  and " + number(result.incidents().size() - SHOWN_MAX) + " more; --report FILE.html shows all");
        }
        if (!result.missing().isEmpty()) {
            lines.add("  no time was left for: " + names(result));
        }
        lines.add("");
        lines.add("  ordered            " + number(audit.ordered().lines()) + " lines");
        lines.add("  applied            " + number(audit.applied().lines()) + ", billed "
                + number(audit.billed().lines()));
        lines.add("  took effect twice  " + number(audit.twice()));
        lines.add("  lost               " + number(audit.lost()));
        lines.add("  requests           " + number(tally.sent()) + ", of which repeats " + number(tally.repeats())
                + ", answered as repeats " + number(tally.replayed()));
        lines.add("");
        lines.addAll(verdict(result));
        return lines;
    }

    private static String names(GameDayResult result) {
        return result.missing().stream().map(FaultKind::flag).collect(Collectors.joining(", "));
    }

    private static String row(String at, String fault, String lasted, String recovery, String hit) {
        return String.format(Locale.ROOT, "  %8s  %-20s %8s %9s  %s", at, fault, lasted, recovery, hit);
    }

    private static String row(Incident incident) {
        return row(
                seconds(incident.at()),
                incident.kind().flag(),
                seconds(incident.lasted()),
                incident.recovery().map(GameDayReport::seconds).orElse("none"),
                incident.hit());
    }

    private static List<String> verdict(GameDayResult result) {
        if (result.isExact()) {
            return List.of("exact: each order line took effect once, to the penny");
        }
        List<String> lines = new ArrayList<>();
        lines.add("not exact with seed " + result.plan().load().seed()
                + "; what differs (--data DIR keeps the rows, ./hapax db --data DIR shows them):");
        lines.addAll(result.differences().describe());
        result.stalls().forEach(stall -> lines.add("  " + stall));
        return lines;
    }

    /** The shape is a promise to programs. */
    static String json(GameDayResult result) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("verdict", result.verdict());
        report.put("seed", result.plan().load().seed());
        report.put(
                "faults", result.incidents().stream().map(GameDayReport::fault).toList());
        report.put("applied", result.audit().applied().lines());
        report.put("repeats", result.tally().repeats());
        report.put("twice", result.audit().twice());
        report.put("lost", result.audit().lost());
        report.put("violations", result.violations());
        return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n";
    }

    private static Map<String, Object> fault(Incident incident) {
        Map<String, Object> fault = new LinkedHashMap<>();
        fault.put("kind", incident.kind().flag());
        fault.put("atSeconds", rounded(incident.at()));
        fault.put(
                "recoverySeconds",
                incident.recovery().map(GameDayReport::rounded).orElse(null));
        return fault;
    }

    private static BigDecimal rounded(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).setScale(1, RoundingMode.HALF_UP);
    }

    static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1e3);
    }

    static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** A time as a person says it. */
    static String time(Duration duration) {
        return duration.toSeconds() % 60 == 0
                ? duration.toMinutes() + " min"
                : String.format(Locale.ROOT, "%.0f s", duration.toMillis() / 1e3);
    }

    /** Writes both. */
    static void write(GameDayResult result, ReportFiles files) throws IOException {
        Files.writeString(files.html(), GameDayPage.of(result));
        Files.writeString(files.json(), json(result));
    }
}
