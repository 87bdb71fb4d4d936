package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page of settings has each setting, in the drawer in which its Javadoc puts it. */
class ConfigurationReferenceTest {

    private static final Path PAGE = Manual.page("docs/reference/configuration.md");
    private static final Path SOURCES = Manual.page("core/src/main/java/dev/hapax");

    /** A Javadoc comment, and the method that returns its builder. */
    private static String methods(String type) {
        return "/\\*\\*((?:(?!\\*/).)*)\\*/\\s+(?:public )?(?:static )?(?:<T> )?" + type + " (\\w+)\\(";
    }

    private static Map<String, String> declared(String file, String type) {
        Map<String, String> drawers = new TreeMap<>();
        Matcher method = Pattern.compile(methods(type), Pattern.DOTALL).matcher(Manual.read(SOURCES.resolve(file)));
        while (method.find()) {
            drawers.put(method.group(2), drawer(method.group(1)));
        }
        return drawers;
    }

    private static String drawer(String javadoc) {
        String text = javadoc.replaceAll("\\s*\\n?\\s*\\*\\s", " ").strip();
        return text.startsWith("You must set")
                ? "must"
                : text.startsWith("You may tune")
                        ? "may"
                        : text.startsWith("You probably shouldn't")
                                ? "shouldn't"
                                : text.startsWith("For tests") ? "tests" : text;
    }

    private static Map<String, String> listed(String heading) {
        Map<String, String> drawers = new TreeMap<>();
        for (Manual.Row row : Manual.rows(Manual.section(PAGE, heading))) {
            drawers.put(row.name(), row.others().getFirst());
        }
        return drawers;
    }

    @Test
    void the_service() {
        assertThat(listed("A service: HapaxBuilder")).isEqualTo(declared("HapaxBuilder.java", "HapaxBuilder"));
    }

    @Test
    void a_consumer() {
        assertThat(listed("A consumer: ConsumerBuilder"))
                .isEqualTo(declared("consume/ConsumerBuilder.java", "ConsumerBuilder"));
    }

    @Test
    void a_relay_to_kafka() {
        assertThat(listed("A relay to Kafka: KafkaRelayBuilder"))
                .isEqualTo(declared(
                        "../../../../../../kafka/src/main/java/dev/hapax/kafka/KafkaRelayBuilder.java",
                        "KafkaRelayBuilder"));
    }

    @Test
    void a_projection() {
        assertThat(listed("A projection: ProjectionBuilder"))
                .isEqualTo(declared("event/ProjectionBuilder.java", "ProjectionBuilder"));
    }

    @Test
    void a_claim() {
        assertThat(listed("One claim: Claim")).isEqualTo(declared("claim/Claim.java", "Claim<T>"));
    }

    @Test
    void a_kind_of_claims() {
        assertThat(listed("A kind of claims: ClaimKindBuilder"))
                .isEqualTo(declared("claim/ClaimKindBuilder.java", "ClaimKindBuilder<R, T>"));
    }

    @Test
    void another_system() {
        assertThat(listed("Another system: CallPolicy").keySet())
                .isEqualTo(declared("claim/CallPolicy.java", "CallPolicy").keySet());
    }

    @Test
    void a_scope() {
        Map<String, String> methods = declared("Scope.java", "Scope");
        methods.remove("renamed");
        assertThat(listed("A scope: Scope").keySet()).isEqualTo(methods.keySet());
    }
}
