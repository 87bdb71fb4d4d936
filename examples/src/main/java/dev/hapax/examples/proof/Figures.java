package dev.hapax.examples.proof;

import dev.hapax.testkit.proof.Mode;
import dev.hapax.testkit.proof.ProofReport;
import dev.hapax.testkit.proof.Violation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The numbers of an exploration.
 *
 * @param reports one for each scenario
 * @param processes one for each scenario whose work real processes did
 */
record Figures(List<ProofReport> reports, List<ProofReport> processes, Duration time) {

    Figures {
        reports = List.copyOf(reports);
        processes = List.copyOf(processes);
    }

    private Stream<ProofReport> all() {
        return Stream.concat(reports.stream(), processes.stream());
    }

    boolean isProven() {
        return all().allMatch(ProofReport::isProven);
    }

    private int points() {
        return reports.stream().mapToInt(ProofReport::points).sum();
    }

    private int runs() {
        return reports.stream().mapToInt(ProofReport::faults).sum();
    }

    private List<String> unreached() {
        return all().flatMap(report -> report.unreached().stream()).toList();
    }

    private List<Violation> violations() {
        return all().flatMap(report -> report.violations().stream()).toList();
    }

    private int deaths() {
        return processes.stream().mapToInt(ProofReport::faults).sum();
    }

    String summary() {
        int exercised = reports.stream().mapToInt(ProofReport::exercised).sum();
        return String.format(
                Locale.ROOT,
                "%d scenarios: %d of %d points, %d faults, %d deaths of real processes, %d violations, %d unreached, in %d min %02d s",
                reports.size(),
                exercised,
                points(),
                runs(),
                deaths(),
                violations().size(),
                unreached().size(),
                time.toMinutes(),
                time.toSecondsPart());
    }

    void write(Path file) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("points", points());
        json.put(
                "underFault",
                reports.stream().mapToInt(one -> one.coverage().underFault()).sum());
        json.put("runs", runs());
        json.put("deaths", deaths());
        json.put("schedules", reports.stream().mapToInt(ProofReport::schedules).sum());
        json.put("violations", violations().size());
        json.put("unreached", unreached());
        json.put("seconds", time.toMillis() / 1000.0);
        List<Map<String, Object>> scenarios = new ArrayList<>();
        for (ProofReport report : reports) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("scenario", report.scenario());
            one.put("points", report.points());
            one.put("underFault", report.coverage().underFault());
            one.put("runs", report.faults());
            one.put("schedules", report.schedules());
            one.put("violations", report.violations().size());
            Map<String, Integer> modes = new LinkedHashMap<>();
            for (Mode mode : Mode.values()) {
                modes.put(mode.name(), report.runs().getOrDefault(mode, 0));
            }
            one.put("modes", modes);
            scenarios.add(one);
        }
        json.put("scenarios", scenarios);
        json.put(
                "found",
                violations().stream()
                        .map(v -> Map.of(
                                "invariant",
                                v.invariant(),
                                "finding",
                                v.finding(),
                                "trial",
                                v.trial().toString()))
                        .toList());
        write(file, json);
    }

    static void write(Path file, Map<String, Object> json) throws IOException {
        Files.writeString(
                file,
                JsonMapper.builder()
                                .enable(SerializationFeature.INDENT_OUTPUT)
                                .build()
                                .writeValueAsString(json)
                        + System.lineSeparator());
    }
}
