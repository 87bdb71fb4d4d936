package dev.hapax.kafka;

import static dev.hapax.kafka.SourceFixture.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import dev.hapax.testkit.TcpProxy;
import dev.hapax.testkit.kafka.EmbeddedKafka;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that is reached by TLS and asks for a name and a password: the relay, its position topic and the consumer come in with the user's properties, and nobody without. */
@Tag("slow")
class SecuredBrokerContractTest {

    private static final String PASSWORD = "store-password";
    private static final int MESSAGES = 200;

    @TempDir
    Path folder;

    private final TcpProxy front = TcpProxy.ofBytes(1);
    private EmbeddedKafka kafka;
    private RelayFixture relays;
    private SourceFixture sources;

    @BeforeEach
    void open() throws Exception {
        Path store = folder.resolve("broker.p12");
        keytool(
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-alias",
                "broker",
                "-keyalg",
                "EC",
                "-dname",
                "CN=broker",
                "-ext",
                "san=ip:127.0.0.1",
                "-validity",
                "2");
        keytool("-exportcert", "-rfc", "-keystore", store.toString(), "-alias", "broker", "-file", certificate());
        kafka = EmbeddedKafka.builder()
                .behindProxy(front.port())
                .setting("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,PROXIED:SASL_SSL,CONTROLLER:PLAINTEXT")
                .setting("listener.name.proxied.ssl.keystore.location", store.toString())
                .setting("listener.name.proxied.ssl.keystore.password", PASSWORD)
                .setting("listener.name.proxied.ssl.key.password", PASSWORD)
                .setting("listener.name.proxied.ssl.keystore.type", "PKCS12")
                .setting("listener.name.proxied.sasl.enabled.mechanisms", "PLAIN")
                .setting(
                        "listener.name.proxied.plain.sasl.jaas.config",
                        "org.apache.kafka.common.security.plain.PlainLoginModule required user_hapax=\"right\";")
                .start();
        front.retarget(kafka.portBehindProxy());
        relays = new RelayFixture(kafka);
        sources = new SourceFixture(kafka);
    }

    @AfterEach
    void close() {
        sources.close();
        relays.close();
        kafka.close();
        front.close();
    }

    private String certificate() {
        return folder.resolve("broker.pem").toString();
    }

    /** What a user writes into a properties file. */
    private Map<String, Object> properties(String password) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", "127.0.0.1:" + front.port());
        properties.put("security.protocol", "SASL_SSL");
        properties.put("ssl.truststore.type", "PEM");
        properties.put("ssl.truststore.location", certificate());
        properties.put("sasl.mechanism", "PLAIN");
        properties.put(
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"hapax\" password=\""
                        + password + "\";");
        return properties;
    }

    private KafkaRelay relay(String password) {
        return relays.start(relays.relay().producer(properties(password)));
    }

    private Consumer consumer() {
        return sources.hapax
                .consumer("billing")
                .from(KafkaSource.topic(relays.topic, properties("right")).decode(SourceFixture::text))
                .handle(String.class, (body, tx) -> SourceFixture.insert(tx.connection(), tx.message(), body))
                .start();
    }

    @Test
    void relay_and_consumer_come_in_with_the_properties_that_they_are_given() throws Exception {
        relay("right");
        try (Consumer billing = consumer()) {
            relays.publishNumbers(0, MESSAGES);

            await().atMost(LONG).until(() -> sources.distinct() == MESSAGES);
        }
        assertThat(sources.count()).isEqualTo(MESSAGES);
        assertThat(relays.values()).hasSize(MESSAGES);
    }

    @Test
    void with_a_wrong_password_the_relay_says_so_and_publishes_nothing() {
        KafkaRelay refused = relay("wrong");
        relays.publishNumbers(0, 1);

        await().atMost(LONG).until(() -> refused.problem().isPresent());
        assertThat(refused.problem().orElseThrow())
                .contains("SaslAuthenticationException")
                .doesNotContain("wrong");
        assertThat(relays.records()).isEmpty();
    }

    private static void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storepass", PASSWORD, "-storetype", "PKCS12"));
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }
}
