package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Hapax;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A database that went back in time, as an operator sees it, and what it takes to go on. */
class HistoryCommandContractTest {

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    /** The service has seen a beat, and it is gone. */
    private void goBack() throws SQLException {
        await().until(() -> {
            shop.order("ann", "ann-0");
            return shop.number("SELECT max(number) FROM hapax.beat") >= 2;
        });
        shop.database.execute("UPDATE hapax.beat SET nonce = gen_random_uuid() WHERE number > 0");
        await().until(() -> shop.number("SELECT count(*) FROM hapax.rewind") == 1);
    }

    @Test
    void consumers_wait_for_the_operators_word() throws SQLException {
        Hapax service = shop.open();
        shop.start();
        assertThat(shop.shell.ok("history", "show")).contains("never been found to have gone back");
        assertThat(shop.shell
                        .run("history", "accept", "--reason", "nothing")
                        .endsWith(1)
                        .err())
                .contains("nothing waits to be accepted");
        goBack();

        Shell.Ran show = shop.shell.run("history", "show").endsWith(1);
        assertThat(show.lines()).hasSize(2);
        assertThat(show.lines().get(1)).matches("\\s*1  20\\S+Z  shop +20\\S+Z +20\\S+Z +- .*");
        assertThat(show.err()).contains("./hapax history accept");
        assertThat(shop.shell
                        .run("history", "show", "--json")
                        .json()
                        .get(0)
                        .get("acceptedAt")
                        .isNull())
                .isTrue();
        assertThat(shop.shell.ok("pause", "list")).contains("./hapax history show");
        assertThat(shop.shell.ok("consumer", "list")).containsPattern("billing +log +paused");
        assertThat(shop.shell.run("resume", "consumer", "*").endsWith(2).err()).contains("history accept");

        shop.order("bob", "bob-1");
        assertThat(shop.shell.ok("history", "accept", "--reason", "sent again", "--by", "dora"))
                .contains("all consumers go on");
        shop.awaitBilled("bob", "bob-1");
        assertThat(shop.shell.ok("history", "show")).contains("dora", "sent again");
        assertThat(service.control().list()).isEmpty();
    }

    @Test
    void markers_are_rebuilt_from_effects() throws SQLException {
        shop.database.execute("CREATE TABLE payment AS SELECT 'p-' || n AS id FROM generate_series(1, 3) n");
        String[] adopt = {"adopt", "payments.charge", "--producer", "shop", "--query", "SELECT id FROM payment"};
        assertThat(shop.shell.ok(
                        "adopt",
                        "payments.charge",
                        "--producer",
                        "shop",
                        "--query",
                        "SELECT id FROM payment",
                        "--preview"))
                .contains("3 rows: 3 would be marked");
        assertThat(shop.shell.ok(adopt)).contains("3 rows: 3 marked, 0 had a marker");
        assertThat(shop.shell.ok(adopt)).contains("3 rows: 0 marked, 3 had a marker");
        assertThat(shop.number("SELECT count(*) FROM hapax.marker WHERE producer = 'shop'"))
                .isEqualTo(3);
    }
}
