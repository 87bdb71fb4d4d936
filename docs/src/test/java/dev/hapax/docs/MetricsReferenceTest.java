package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.micrometer.MicrometerMetrics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The page of metrics has each meter with its kind and its tags, and each value of a tag that has few. */
class MetricsReferenceTest {

    private static final Path PAGE = Manual.page("docs/reference/metrics.md");

    private static SimpleMeterRegistry registered() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        MicrometerMetrics metrics = MicrometerMetrics.on(registry);
        metrics.scope("orders.place");
        metrics.consumer("billing", () -> 0, () -> 0);
        metrics.claims("payments.charge", () -> 0, () -> 0);
        metrics.saga("fulfil");
        return registry;
    }

    private static String row(Meter meter) {
        List<String> tags =
                meter.getId().getTags().stream().map(Tag::getKey).sorted().toList();
        String kind = meter.getId().getType().name().toLowerCase(Locale.ROOT).replace("distribution_", "");
        return meter.getId().getName() + " | " + kind + " | " + String.join(", ", tags);
    }

    @Test
    void the_table_is_what_is_registered() {
        Set<String> meters = new TreeSet<>();
        registered().getMeters().forEach(meter -> meters.add(row(meter)));
        Set<String> rows = new TreeSet<>();
        Manual.rows(Manual.section(PAGE, "Meters"))
                .forEach(row -> rows.add(row.name() + " | " + row.others().get(0) + " | "
                        + row.others().get(1).replace("`", "")));
        assertThat(rows).isEqualTo(meters);
    }

    @Test
    void every_value_of_a_tag_that_has_few_is_explained() {
        for (String tag : List.of("ending", "handling", "claiming", "event", "step")) {
            Set<String> values = new TreeSet<>();
            registered().getMeters().forEach(meter -> {
                String value = meter.getId().getTag(tag);
                if (value != null) {
                    values.add(value);
                }
            });
            assertThat(Manual.rows(Manual.section(PAGE, "Values of " + tag)).stream()
                            .map(Manual.Row::name))
                    .containsExactlyInAnyOrderElementsOf(values);
        }
    }
}
