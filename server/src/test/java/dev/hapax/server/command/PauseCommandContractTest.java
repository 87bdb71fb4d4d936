package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.PausedException;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a command pauses stops in a service that runs elsewhere, within a second. */
class PauseCommandContractTest {

    private static final Duration SOON = Duration.ofSeconds(1);

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private static boolean isPaused(Hapax hapax, String scope) {
        try {
            hapax.once(Key.generate(scope)).run(tx -> {});
            return false;
        } catch (PausedException refused) {
            assertThat(refused.code()).isEqualTo("paused");
            return true;
        }
    }

    @Test
    void a_paused_scope_is_refused_by_a_running_service_within_a_second_and_goes_on_when_resumed() {
        Hapax service = shop.open();
        assertThat(isPaused(service, "payments.charge")).isFalse();

        assertThat(shop.shell.ok("pause", "scope", "payments.charge", "--reason", "provider is down"))
                .contains("scope payments.charge is paused");
        await().atMost(SOON).until(() -> isPaused(service, "payments.charge"));
        assertThat(isPaused(service, "payments.refund")).isFalse();

        assertThat(shop.shell.ok("resume", "scope", "payments.charge")).contains("scope payments.charge is resumed");
        await().atMost(SOON).until(() -> !isPaused(service, "payments.charge"));
    }

    @Test
    void a_paused_consumer_takes_nothing_while_others_go_on_and_then_goes_on_where_it_stopped() {
        Hapax service = shop.open();
        shop.start();
        shop.start("shipping");
        shop.order("ann", "ann-1");
        shop.awaitBilled("ann", "ann-1");

        shop.shell.ok("pause", "consumer", "billing", "--reason", "wrong prices", "--by", "dora");
        // A process reads all pauses in one look: once it has seen a later one, it has seen this one.
        shop.shell.ok("pause", "scope", "probe", "--reason", "to see it seen");
        await().atMost(SOON).until(() -> isPaused(service, "probe"));
        shop.order("ann", "ann-2");
        shop.awaitBilled("shipping/ann", "ann-1", "ann-2");

        await().during(Duration.ofMillis(300)).until(() -> shop.billed("ann").size() == 1);
        assertThat(shop.shell.ok("consumer", "list")).containsPattern("billing +log +paused");
        assertThat(shop.shell.ok("consumer", "show", "billing")).contains("wrong prices (dora)");

        shop.shell.ok("resume", "consumer", "billing");
        await().atMost(SOON.multipliedBy(2)).until(() -> shop.billed("ann").size() == 2);
        assertThat(shop.billed("ann")).containsExactly("ann-1", "ann-2");
    }

    @Test
    void the_list_says_why_since_when_and_by_whom() {
        assertThat(shop.shell.ok("pause", "list")).contains("nothing is paused");
        Shell.Ran first =
                shop.shell.run("pause", "scope", "payments.charge", "--reason", "provider is down", "--by", "dora");
        assertThat(first.endsWith(0).err()).contains("there is no scope payments.charge here yet");
        assertThat(shop.shell.ok("pause", "scope", "payments.charge", "--reason", "again"))
                .contains("was paused already");

        Shell.Ran list = shop.shell.run("pause", "list");
        assertThat(list.lines().get(1)).matches("scope  payments\\.charge  20\\S+Z +dora  provider is down");
        Shell.Ran json = shop.shell.run("pause", "list", "--json");
        assertThat(json.json()).hasSize(1);
        assertThat(json.json().get(0).get("reason").asString()).isEqualTo("provider is down");
    }

    @Test
    void what_was_not_paused_is_not_resumed() {
        assertThat(shop.shell.run("resume", "consumer", "billing").endsWith(1).err())
                .contains("consumer billing was not paused");
    }
}
