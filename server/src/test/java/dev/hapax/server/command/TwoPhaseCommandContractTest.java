package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A branch that waits is listed until a person closes it, and then kept. */
class TwoPhaseCommandContractTest {

    private static final String TOKEN = "019dbe0c-5a55-7cd3-9a2e-3f6d5d1f9b11";

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    @Test
    void a_heuristic_branch_is_listed_until_it_is_closed_with_a_reason() throws SQLException {
        assertThat(shop.shell.ok("twophase", "list")).contains("no branch waits");
        shop.database.execute(
                "INSERT INTO hapax.two_phase_branch (token, participant, day, scope, producer, state, outcome, error) VALUES ('"
                        + TOKEN + "', 'ledger', '2026-04-24', 1, 1, 'HEURISTIC', 'ROLLED_BACK', 'XA error 6')");
        assertThat(shop.shell.ok("twophase", "list")).contains(TOKEN, "ledger", "heuristic", "rolled_back");
        assertThat(shop.shell.ok("twophase", "show", TOKEN)).contains("XA error 6");

        String[] close = {
            "twophase", "close", TOKEN, "--participant", "ledger", "--reason", "booked by hand", "--by", "anna"
        };
        assertThat(shop.shell.ok(close)).contains("is closed");
        assertThat(shop.shell.ok("twophase", "list")).contains("no branch waits");
        shop.shell.run(close).endsWith(Commands.PROBLEM);
        assertThat(shop.database.queryLong("SELECT count(*) FROM hapax.two_phase_branch"
                        + " WHERE state = 'CLOSED' AND closed_by = 'anna' AND closed_reason = 'booked by hand'"))
                .isEqualTo(1);
    }
}
