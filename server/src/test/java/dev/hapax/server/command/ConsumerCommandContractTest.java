package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.consume.Consumer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the commands say of consumers is what lies in the rows; what is forgotten is gone, and nothing is forgotten by mistake. */
@Tag("slow")
class ConsumerCommandContractTest {

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private JsonNode listed() {
        return shop.shell.run("consumer", "list", "--json").endsWith(0).json().get(0);
    }

    @Test
    void a_database_without_consumers_says_so() {
        assertThat(shop.shell.ok("consumer", "list")).contains("no consumer has been started");
        assertThat(shop.shell.ok("consumer", "list", "--json")).isEqualTo("[]\n");
    }

    @Test
    void a_running_consumer_is_shown_with_its_position_and_its_node() {
        for (int i = 1; i <= 5; i++) {
            shop.order("customer-" + i, "order-" + i);
        }
        shop.start();
        await().until(() -> shop.number("SELECT count(*) FROM billed") == 5);

        JsonNode billing = listed();
        assertThat(billing.get("name").asString()).isEqualTo("billing");
        assertThat(billing.get("state").asString()).isEqualTo("running");
        assertThat(billing.get("position").asLong()).isEqualTo(5);
        assertThat(billing.get("lagMessages").asLong()).isZero();
        assertThat(billing.get("lagSeconds").isNull()).isTrue();
        assertThat(billing.get("lanesOwned").asInt()).isEqualTo(16);
        assertThat(billing.get("leaseSecondsLeft").asDouble()).isBetween(0.0, 0.5);
        assertThat(billing.get("nodes").get(0).asString()).startsWith("shop/");
        assertThat(shop.shell.ok("consumer", "list")).containsPattern("billing +log +running +5 +0 +- ");
        assertThat(shop.shell.run("consumer", "show", "billing").lines())
                .filteredOn(line -> line.matches(" *\\d+ +\\d+ +\\d+ +0 +0 +- .* shop/\\S+"))
                .hasSize(16);
    }

    @Test
    void what_a_stopped_consumer_has_not_read_is_its_lag() throws SQLException {
        Consumer consumer = shop.start();
        shop.order("ann", "ann-1");
        shop.awaitBilled("ann", "ann-1");
        consumer.close();
        shop.order("ann", "ann-2");
        shop.order("bob", "bob-1");
        shop.database.execute("UPDATE hapax.log SET published_at = published_at - interval '90 seconds'");

        JsonNode billing = listed();
        assertThat(billing.get("state").asString()).isEqualTo("stopped");
        assertThat(billing.get("position").asLong()).isEqualTo(1);
        assertThat(billing.get("lagMessages").asLong()).isEqualTo(2);
        assertThat(billing.get("lagSeconds").asDouble()).isBetween(90.0, 110.0);
        assertThat(billing.get("nodes")).isEmpty();
        assertThat(billing.get("leaseSecondsLeft").isNull()).isTrue();
    }

    @Test
    void what_is_done_above_a_gap_is_no_lag_and_not_the_oldest() throws SQLException {
        shop.start().close();
        try (Connection late = shop.database.dataSource().getConnection();
                Statement statement = late.createStatement()) {
            late.setAutoCommit(false);
            // All sequences lose a number to a transaction that stays open: a gap below whatever comes next.
            statement.execute("SELECT pg_current_xact_id()");
            for (int lane = 0; lane < 16; lane++) {
                statement.execute("SELECT nextval('hapax.lane_" + lane + "')");
            }
            shop.order("ann", "ann-1");
            Consumer consumer = shop.start();
            shop.awaitBilled("ann", "ann-1");
            consumer.close();

            JsonNode billing = listed();
            assertThat(billing.get("lagMessages").asLong()).isEqualTo(16);
            assertThat(billing.get("lagSeconds").isNull()).isTrue();
            JsonNode lanes = shop.shell
                    .run("consumer", "show", "billing", "--json")
                    .endsWith(0)
                    .json()
                    .get("lanes");
            assertThat(lanes).hasSize(16);
            assertThat(lanes.valueStream().filter(lane -> lane.get("gaps").asLong() == 1))
                    .singleElement()
                    .satisfies(lane -> {
                        assertThat(lane.get("low").asLong()).isZero();
                        assertThat(lane.get("high").asLong()).isEqualTo(2);
                    });
        }
    }

    @Test
    void held_messages_are_counted_by_state() {
        shop.breaks("ann-1");
        shop.order("ann", "ann-1");
        shop.order("ann", "ann-2");
        shop.start();
        shop.awaitHeld("QUARANTINED", 1);
        shop.awaitHeld("WAITING", 1);

        JsonNode billing = listed();
        assertThat(billing.get("quarantined").asLong()).isEqualTo(1);
        assertThat(billing.get("waiting").asLong()).isEqualTo(1);
        assertThat(billing.get("retry").asLong()).isZero();
    }

    @Test
    void a_consumer_that_runs_is_not_forgotten_even_by_force() {
        shop.start();
        await().until(() -> shop.number("SELECT count(*) FROM hapax.position WHERE owner IS NOT NULL") == 16);

        Shell.Ran refused = shop.shell.run("consumer", "forget", "billing", "--yes", "--force");

        assertThat(refused.endsWith(1).err()).contains("consumer billing is still run by a process; stop it first");
        shop.order("ann", "ann-1");
        shop.awaitBilled("ann", "ann-1");
        assertThat(shop.number("SELECT count(*) FROM hapax.position")).isEqualTo(16);
    }

    @Test
    void a_stopped_consumer_is_forgotten_with_a_yes_and_holds_the_log_back_no_longer() {
        shop.start("old").close();
        shop.start().close();
        shop.order("ann", "ann-1");

        Shell.Ran asked = shop.shell.run("consumer", "forget", "old");
        assertThat(asked.endsWith(2).out()).contains("would forget consumer old: position 0, lag 1, 0 held messages");
        assertThat(asked.err()).contains("nothing was changed; add --yes");
        assertThat(shop.number("SELECT count(*) FROM hapax.position")).isEqualTo(32);

        assertThat(shop.shell.ok("consumer", "forget", "old", "--yes"))
                .contains("forgot consumer old: 16 positions, 0 held messages");
        assertThat(shop.texts("SELECT DISTINCT consumer FROM hapax.position")).containsExactly("billing");
        assertThat(shop.shell
                        .run("consumer", "forget", "old", "--yes")
                        .endsWith(1)
                        .err())
                .contains("there is no consumer old here");
    }

    @Test
    void a_consumer_that_holds_messages_is_forgotten_only_by_force_which_prints_what_is_lost() {
        shop.breaks("ann-1");
        shop.order("ann", "ann-1");
        shop.order("ann", "ann-2");
        Consumer consumer = shop.start();
        shop.awaitHeld("QUARANTINED", 1);
        shop.awaitHeld("WAITING", 1);
        consumer.close();

        Shell.Ran refused = shop.shell.run("consumer", "forget", "billing", "--yes");
        assertThat(refused.endsWith(1).err())
                .contains("holds 2 messages (1 set aside, 0 to be tried again, 1 waiting behind those)")
                .contains("lose them with --force");
        assertThat(shop.number("SELECT count(*) FROM hapax.held")).isEqualTo(2);

        assertThat(shop.shell.ok("consumer", "forget", "billing", "--yes", "--force"))
                .contains("lost, their effects are missing:", "no price for ann-1")
                .contains("forgot consumer billing: 16 positions, 2 held messages");
        assertThat(shop.number("SELECT (SELECT count(*) FROM hapax.held) + (SELECT count(*) FROM hapax.position)"
                        + " + (SELECT count(*) FROM hapax.member)"))
                .isZero();
    }

    @Test
    void a_consumer_whose_process_was_killed_is_forgotten_once_its_lease_has_ended() throws SQLException {
        shop.start().close();
        shop.database.execute(
                "UPDATE hapax.position SET owner = 'shop/dead', leased_until = clock_timestamp() + interval '2 seconds'");

        assertThat(shop.shell
                        .run("consumer", "forget", "billing", "--yes")
                        .endsWith(1)
                        .err())
                .containsPattern("counts for its lease, [12] s from now");

        await().pollInterval(Duration.ofMillis(100))
                .until(() ->
                        shop.shell.run("consumer", "forget", "billing", "--yes").status() == 0);
    }

    @Test
    void a_consumer_of_the_log_is_replayed_when_it_is_said_that_all_may_be_applied_again() {
        shop.order("ann", "ann-1");
        shop.start();
        shop.awaitBilled("ann", "ann-1");

        Shell.Ran asked = shop.shell.run("consumer", "replay", "billing", "--from", "beginning");
        assertThat(asked.endsWith(2).out()).contains("up to 1 message would be read again, and APPLIED AGAIN");
        assertThat(asked.err()).contains("nothing was changed; add --yes");

        shop.shell.ok("consumer", "replay", "billing", "--from", "beginning", "--yes");
        shop.awaitBilled("ann", "ann-1", "ann-1");
        assertThat(shop.shell.ok("consumer", "seek", "billing", "--to", "end")).contains("is there already");
    }
}
