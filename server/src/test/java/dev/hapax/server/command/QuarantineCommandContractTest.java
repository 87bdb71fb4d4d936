package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A handler fails for real; what is set aside is listed, shown, tried again, discarded by the commands. */
@Tag("slow")
class QuarantineCommandContractTest {

    private Shop shop;

    @BeforeEach
    void a_broken_order_before_good_ones() throws SQLException {
        shop = new Shop();
        shop.breaks("ann-1");
        for (String body : List.of("ann-1", "ann-2", "ann-3")) {
            shop.order("ann", body);
        }
        shop.order("bob", "bob-1");
        shop.start();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private long setAside() {
        long id = shop.awaitHeld("QUARANTINED", 1).getFirst();
        shop.awaitHeld("WAITING", 2);
        shop.awaitBilled("bob", "bob-1");
        return id;
    }

    @Test
    void the_list_shows_what_is_set_aside_and_counts_the_rest() {
        long id = setAside();

        Shell.Ran list = shop.shell.run("quarantine", "list", "billing").endsWith(0);

        assertThat(list.lines().get(0)).matches("ID +STATE +TRIES +HELD AT +TOPIC +MESSAGE KEY +OPERATION +REASON");
        assertThat(list.lines().get(1))
                .matches(
                        " *" + id
                                + " +QUARANTINED +2 +20\\S+Z +orders +ann +orders\\.place:\\S+@shop +java.lang.IllegalStateException: no price for ann-1");
        assertThat(list.lines().getLast())
                .isEqualTo("consumer billing holds: 1 set aside, 0 to be tried again, 2 waiting behind those");
    }

    @Test
    void columns_stand_below_their_headers() {
        setAside();

        List<String> lines = shop.shell
                .run("quarantine", "list", "billing", "--state", "waiting,quarantined")
                .lines();

        int column = lines.getFirst().indexOf("TOPIC");
        assertThat(lines.subList(1, 4))
                .allSatisfy(line -> assertThat(line.substring(column)).startsWith("orders"));
    }

    @Test
    void the_list_as_json_has_the_facts_and_no_payload() {
        long id = setAside();

        Shell.Ran list = shop.shell.run("quarantine", "list", "billing", "--state", "waiting", "--json");
        assertThat(list.endsWith(0).json()).hasSize(2);
        assertThat(list.json().get(0).get("state").asString()).isEqualTo("WAITING");
        assertThat(list.out()).doesNotContain("ann-2");

        Shell.Ran first = shop.shell.run("quarantine", "list", "billing", "--json");
        assertThat(first.json().get(0).get("id").asLong()).isEqualTo(id);
        assertThat(first.json().get(0).get("attempts").asInt()).isEqualTo(2);
        assertThat(first.json().get(0).get("messageKey").asString()).isEqualTo("ann");
    }

    @Test
    void a_payload_is_shown_only_if_asked_for() {
        long id = shop.awaitHeld("WAITING", 2).getFirst();
        String which = Long.toString(id);

        assertThat(shop.shell.ok("quarantine", "show", which))
                .contains("message key")
                .doesNotContain("ann-2");
        assertThat(shop.shell.ok("quarantine", "show", which, "--json")).doesNotContain("ann-2");
        assertThat(shop.shell.ok("quarantine", "show", which, "--payload")).contains("ann-2");
        assertThat(shop.shell
                        .run("quarantine", "show", which, "--payload", "--json")
                        .json()
                        .get("payload")
                        .asString())
                .contains("ann-2");
    }

    @Test
    void a_retry_keeps_the_order_of_the_key() {
        long id = setAside();
        shop.mends("ann-1");

        assertThat(shop.shell.ok("quarantine", "retry", Long.toString(id))).contains(id + " will be tried again");

        shop.awaitBilled("ann", "ann-1", "ann-2", "ann-3");
        assertThat(shop.number("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_retry_that_fails_again_is_set_aside_again_with_the_others_behind_it() {
        long id = setAside();

        shop.shell.ok("quarantine", "retry", Long.toString(id));

        shop.awaitHeld("QUARANTINED", 1);
        assertThat(shop.awaitHeld("WAITING", 2)).hasSize(2);
        assertThat(shop.billed("ann")).isEmpty();
    }

    @Test
    void retry_all_says_how_many() {
        shop.breaks("cem-1");
        shop.order("cem", "cem-1");
        shop.awaitHeld("QUARANTINED", 2);
        shop.mends("ann-1");
        shop.mends("cem-1");

        assertThat(shop.shell.ok("quarantine", "retry", "--all", "billing"))
                .contains("2 messages of consumer billing will be tried again");

        shop.awaitBilled("ann", "ann-1", "ann-2", "ann-3");
        shop.awaitBilled("cem", "cem-1");
    }

    @Test
    void after_a_discard_those_behind_it_go_on_without_it() {
        long id = setAside();

        Shell.Ran discard = shop.shell.run("quarantine", "discard", Long.toString(id), "--reason", "a test order");

        assertThat(discard.endsWith(0).out())
                .contains("1 message discarded: a test order", "ann", "no price for ann-1");
        shop.awaitBilled("ann", "ann-2", "ann-3");
        shop.order("ann", "ann-4");
        shop.awaitBilled("ann", "ann-2", "ann-3", "ann-4");
        assertThat(shop.number("SELECT count(*) FROM hapax.held")).isZero();
    }

    @Test
    void a_discard_of_several_wants_a_yes_and_changes_nothing_without() {
        setAside();
        List<Long> waiting = shop.awaitHeld("WAITING", 2);
        String[] both = {waiting.get(0).toString(), waiting.get(1).toString()};

        Shell.Ran refused = shop.shell.run("quarantine", "discard", both[0], both[1], "--reason", "no longer wanted");
        assertThat(refused.endsWith(2).err()).contains("drops 2 messages for good; nothing was changed; add --yes");
        shop.awaitHeld("WAITING", 2);

        shop.shell.ok("quarantine", "discard", both[0], both[1], "--reason", "no longer wanted", "--yes");
        shop.awaitHeld("WAITING", 0);
        shop.mends("ann-1");
        shop.shell.ok("quarantine", "retry", "--all", "billing");
        shop.awaitBilled("ann", "ann-1");
    }

    @Test
    void what_is_not_there_is_said_with_status_1() {
        setAside();

        assertThat(shop.shell.run("quarantine", "retry", "999999").endsWith(1).out())
                .contains("999999 isn't set aside (any more)");
        assertThat(shop.shell.run("quarantine", "show", "999999").endsWith(1).err())
                .contains("there is no held message 999999");
        assertThat(shop.shell
                        .run("quarantine", "discard", "999999", "--reason", "x")
                        .endsWith(1)
                        .err())
                .contains("999999 isn't held (any more)");
        assertThat(shop.shell.run("quarantine", "list", "biling").endsWith(1).err())
                .contains("there is no consumer biling here");
        assertThat(shop.shell
                        .run("quarantine", "retry", "--all", "biling")
                        .endsWith(1)
                        .err())
                .contains("there is no consumer biling here");
    }
}
