package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a relay has left in the database, seen and decided by an operator. */
class RelayCommandContractTest {

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
        shop.database.execute("INSERT INTO hapax.relay (name, mode, cluster, topic, topic_id)"
                + " VALUES ('orders-relay', 'EXACTLY_ONCE', 'c1', 'hapax-positions', 't1')");
    }

    @AfterEach
    void close() {
        shop.close();
    }

    private void halt() throws SQLException {
        shop.database.execute("INSERT INTO hapax.relay_break (relay, lane, after_number, until_number, expected)"
                + " VALUES ('orders-relay', 3, 40, 47, gen_random_uuid())");
    }

    @Test
    void a_halted_relay_is_listed_with_its_range_and_goes_on_as_it_is_told() throws SQLException {
        assertThat(shop.shell.ok("relay", "list")).contains("orders-relay", "EXACTLY_ONCE", "well", "hapax-positions");
        halt();
        assertThat(shop.shell.ok("relay", "list")).contains("halted", "lane 3: 41 to 47");
        assertThat(shop.shell.ok("relay", "list", "--json")).contains("\"inDoubt\":[\"lane 3: 41 to 47\"]");
        assertThat(shop.shell.ok("relay", "resume", "orders-relay", "--how", "publish-missing", "--reason", "failover"))
                .contains("goes on (publish-missing) in 1 lane");
        assertThat(shop.shell.ok("relay", "list")).contains("comparing");
        assertThat(
                        shop.database.queryLong(
                                "SELECT count(*) FROM hapax.relay_break WHERE decision = 'PUBLISH_MISSING' AND why = 'failover'"))
                .isEqualTo(1);
    }

    @Test
    void there_is_nothing_to_decide_for_one_that_is_well() {
        shop.shell
                .run("relay", "resume", "orders-relay", "--how", "skip", "--reason", "x")
                .endsWith(Commands.PROBLEM);
        shop.shell
                .run("relay", "resume", "orders-relay", "--how", "guess", "--reason", "x")
                .endsWith(Commands.USAGE);
    }

    @Test
    void a_position_is_forgotten_only_by_someone_who_knows_what_that_means() throws SQLException {
        shop.shell.run("relay", "forget", "orders-relay").endsWith(Commands.PROBLEM);
        assertThat(shop.shell.ok("relay", "forget", "orders-relay", "--yes")).contains("has forgotten");
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.relay")).isZero();
        shop.shell.run("relay", "forget", "orders-relay", "--yes").endsWith(Commands.PROBLEM);
    }
}
