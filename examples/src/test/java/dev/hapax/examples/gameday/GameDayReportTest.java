package dev.hapax.examples.gameday;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.stage.Audit;
import dev.hapax.examples.stage.Load;
import dev.hapax.examples.stage.OrderFile;
import dev.hapax.examples.stage.Sums;
import dev.hapax.examples.stage.Tally;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GameDayReportTest {
    private static final Sums ALL = new Sums(7, 70, new BigDecimal("123.45"));

    @Test
    void the_json_has_the_promised_shape() {
        GameDayResult result = result(
                exact(),
                List.of(
                        incident(FaultKind.KILL_SHOP, "shop-1", Optional.of(Duration.ofMillis(1_240))),
                        incident(FaultKind.CUT, "all processes", Optional.of(Duration.ZERO))));

        JsonNode json = JsonMapper.shared().readTree(GameDayReport.json(result));

        assertThat(json).isEqualTo(JsonMapper.shared().readTree("""
                        {"verdict": "exact", "seed": 42,
                         "faults": [{"kind": "kill-shop", "atSeconds": 12.3, "recoverySeconds": 1.2},
                                    {"kind": "cut", "atSeconds": 12.3, "recoverySeconds": 0.0}],
                         "applied": 7, "repeats": 0, "twice": 0, "lost": 0, "violations": []}"""));
    }

    @Test
    void what_differs_is_a_violation_with_its_key_and_the_seed_is_told() {
        GameDayResult result = result(
                new Audit(ALL, ALL, ALL, 1, 0, Map.of("took effect twice", List.of("536365/1"))),
                List.of(incident(FaultKind.HALF_OPEN, "billing-2", Optional.empty())));

        JsonNode json = JsonMapper.shared().readTree(GameDayReport.json(result));

        assertThat(json.get("verdict").asString()).isEqualTo("not exact");
        assertThat(json.get("faults").get(0).get("recoverySeconds").isNull()).isTrue();
        assertThat(json.get("violations").valueStream().map(JsonNode::asString))
                .containsExactly("took effect twice: 536365/1", "no recovery within 60 s: half-open at 12.3 s");
        assertThat(GameDayReport.table(result))
                .contains("    536365/1", "  no recovery within 60 s: half-open at 12.3 s")
                .anyMatch(line -> line.startsWith("not exact with seed 42"));
    }

    @Test
    void many_keys_are_counted_rather_than_listed() {
        List<String> keys = IntStream.range(0, 1_000).mapToObj(i -> "key" + i).toList();
        GameDayResult result = result(new Audit(ALL, ALL, ALL, 0, 1_000, Map.of("lost", keys)), List.of());

        assertThat(result.violations()).hasSize(101).contains("lost: key0", "lost: 900 more");
    }

    @Test
    void the_page_is_well_formed_needs_nothing_from_elsewhere_and_shows_each_fault() throws Exception {
        List<Incident> incidents = new ArrayList<>();
        for (FaultKind kind : FaultKind.values()) {
            incidents.add(incident(kind, "hit <\"" + kind + "\"> & more", Optional.of(Duration.ofMillis(500))));
        }
        GameDayResult result = result(exact(), incidents);

        String page = GameDayPage.of(result);

        Document parsed = parse(page);
        assertThat(page).doesNotContain("http:", "https:", "<script", "@import", "url(");
        assertThat(parsed.getElementsByTagName("svg").getLength()).isEqualTo(4);
        for (int i = 0; i < 4; i++) {
            assertThat(parsed.getElementsByTagName("svg").item(i).getTextContent())
                    .isNotBlank();
        }
        String table = parsed.getElementsByTagName("table").item(0).getTextContent();
        String plots = parsed.getElementsByTagName("svg").item(1).getTextContent();
        assertThat(incidents).allSatisfy(incident -> {
            assertThat(table).contains(incident.kind().flag()).contains(incident.hit());
            assertThat(plots).contains(incident.kind().flag());
            assertThat(page).contains(Markup.escape(incident.kind().sentence()));
        });
        assertThat(parsed.getElementsByTagName("code").item(0).getTextContent())
                .startsWith("./hapax gameday --minutes 2.0")
                .endsWith("--seed 42");
    }

    @Test
    void a_page_of_hundreds_of_faults_and_of_none_is_well_formed_too() throws Exception {
        List<Incident> many = IntStream.range(0, 300)
                .mapToObj(i -> incident(
                        FaultKind.values()[i % FaultKind.values().length],
                        "it",
                        i == 7 ? Optional.empty() : Optional.of(Duration.ofMillis(i))))
                .toList();

        Document page = parse(GameDayPage.of(result(exact(), many)));
        Document calm = parse(GameDayPage.of(result(exact(), List.of())));

        assertThat(page.getElementsByTagName("tbody").item(0).getTextContent()).contains("300");
        assertThat(page.getElementsByTagName("svg").item(3).getTextContent())
                .contains("the worst of 17")
                .contains("none within 60 s");
        assertThat(calm.getDocumentElement().getTextContent()).contains("No time was left for: cut.");
    }

    @Test
    void either_name_of_a_report_means_both_files() {
        ReportFiles both = new ReportFiles(Path.of("out/day.html"), Path.of("out/day.json"));

        assertThat(ReportFiles.of(Path.of("out/day.html"))).isEqualTo(both);
        assertThat(ReportFiles.of(Path.of("out/day.json"))).isEqualTo(both);
        assertThat(ReportFiles.of(Path.of("out/day"))).isEqualTo(both);
    }

    private static Document parse(String page) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(page)));
    }

    private static Audit exact() {
        return new Audit(ALL, ALL, ALL, 0, 0, Map.of());
    }

    private static Incident incident(FaultKind kind, String hit, Optional<Duration> recovery) {
        return new Incident(kind, hit, Duration.ofMillis(12_345), Duration.ofSeconds(3), recovery);
    }

    private static GameDayResult result(Audit audit, List<Incident> incidents) {
        GameDayPlan plan =
                new GameDayPlan(Duration.ofMinutes(2), new Load(0.3, 100, 42), List.of(FaultKind.CUT), 2, false, null);
        Tally tally = new Tally(10);
        List<Meter.Sample> samples = IntStream.range(0, 100)
                .mapToObj(i -> new Meter.Sample(i * 1_000_000_000L, i, i))
                .toList();
        return new GameDayResult(plan, OrderFile.bundled(), audit, tally, incidents, new Course(0, 10, samples, tally));
    }
}
