package dev.hapax.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.Key;
import dev.hapax.saga.SagaResult;
import dev.hapax.saga.SagaRetry;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What commands say of sagas and do to them, while the service runs. */
class SagaCommandContractTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Key KEY = Key.of("orders.place", "A-17");

    private Shop shop;

    @BeforeEach
    void open() throws SQLException {
        shop = new Shop();
    }

    @AfterEach
    void close() {
        shop.close();
    }

    /** One whose second compensation always fails. */
    private void stuck() {
        shop.open()
                .saga("fulfil", String.class)
                .retry(SagaRetry.none())
                .retryUndo(SagaRetry.none())
                .run((saga, input) -> {
                    saga.step("reserve", tx -> {}).undo(tx -> {}).run();
                    saga.step("pay", tx -> {})
                            .undo(tx -> {
                                throw new IllegalStateException("the bank is closed");
                            })
                            .run();
                    throw new IllegalStateException("no truck");
                });
        assertThat(shop.open().sagas().complete("fulfil", KEY, "order", Void.class, LONG))
                .isInstanceOf(SagaResult.Stuck.class);
    }

    @Test
    void a_stuck_one_is_listed_shown_and_goes_on_when_its_step_is_skipped() {
        stuck();
        assertThat(shop.shell.ok("saga", "list", "--state", "stuck")).contains("fulfil", "A-17", "could not be undone");
        assertThat(shop.shell.ok("saga", "show", "A-17")).contains("undo of pay", "TRYING", "reserve");
        assertThat(shop.shell
                        .run("saga", "skip", "A-17", "nothing", "--reason", "no")
                        .endsWith(Commands.PROBLEM)
                        .err())
                .contains("has no step nothing to undo");

        assertThat(shop.shell.ok("saga", "skip", "A-17", "pay", "--reason", "refunded by hand", "--by", "ann"))
                .contains("goes on without undoing pay");
        assertThat(shop.open().sagas().await("fulfil", KEY, Void.class, LONG))
                .isEqualTo(new SagaResult.Compensated<>("java.lang.IllegalStateException: no truck"));
        assertThat(shop.shell
                        .run("saga", "skip", "A-17", "pay", "--reason", "again")
                        .status())
                .isEqualTo(Commands.PROBLEM);
        assertThat(shop.shell
                        .run("saga", "show", "A-17", "--json")
                        .json()
                        .path("actions")
                        .path(0)
                        .path("by")
                        .asString())
                .isEqualTo("ann");
    }

    @Test
    void a_stuck_one_is_ended_by_force_and_only_with_yes() {
        stuck();
        assertThat(shop.shell
                        .run("saga", "force", "A-17", "--reason", "by hand")
                        .status())
                .isEqualTo(Commands.USAGE);
        assertThat(shop.shell.ok("saga", "force", "A-17", "--reason", "by hand", "--yes"))
                .contains("is ended");
        assertThat(shop.shell.ok("saga", "list", "--state", "compensated")).contains("A-17");
        assertThat(shop.shell.run("saga", "retry", "A-17", "--reason", "late").status())
                .isEqualTo(Commands.PROBLEM);
    }

    @Test
    void one_that_waits_is_cancelled_once() {
        shop.open().saga("fulfil", String.class).run((saga, input) -> {
            saga.step("reserve", tx -> {}).undo(tx -> {}).run();
            saga.sleep("long", Duration.ofDays(1));
        });
        shop.open().sagas().start("fulfil", KEY, "order");
        assertThat(shop.shell.ok("saga", "cancel", "A-17", "--reason", "the customer left"))
                .contains("is cancelled");
        assertThat(shop.open().sagas().await("fulfil", KEY, Void.class, LONG))
                .isEqualTo(new SagaResult.Cancelled<>("the customer left"));
        assertThat(shop.shell.run("saga", "cancel", "A-17", "--reason", "again").status())
                .isEqualTo(Commands.PROBLEM);
        assertThat(shop.shell.run("saga", "cancel", "B-1", "--reason", "x").err())
                .contains("there is no saga B-1");
    }
}
